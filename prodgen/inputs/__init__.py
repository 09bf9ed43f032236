"""Bench files in, parsed values out that remember where they stood."""

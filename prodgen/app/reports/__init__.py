"""Diagnostics as text, and in the formats that programs read."""

"""Sections of another's Supervisor config."""

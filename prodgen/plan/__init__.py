"""Parsed inputs and host facts in, one plan of what should run out."""

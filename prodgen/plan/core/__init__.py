"""The plan's own types, its defaults, and what every planning step is given."""

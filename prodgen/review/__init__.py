"""Artifacts against what is there: what would change, and what that would do."""

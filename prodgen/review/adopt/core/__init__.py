"""The fate of a setting of another's config, and commands in it."""

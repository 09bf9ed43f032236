"""Config that somebody else has installed, setting by setting."""

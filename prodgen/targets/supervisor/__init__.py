"""The target `supervisor`."""

"""The target `nginx`."""

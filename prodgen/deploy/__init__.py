"""The only rooms that change a host."""

"""The target `systemd`."""

"""Files, processes and sockets of this host."""

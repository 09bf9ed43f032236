"""One module a command, and what one of them alone needs."""

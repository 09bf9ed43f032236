"""The lines of a Procfile, and the shell commands in them."""

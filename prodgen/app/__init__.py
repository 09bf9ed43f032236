"""What the commands do, without click."""

"""What looks like a secret, and text to show without it."""

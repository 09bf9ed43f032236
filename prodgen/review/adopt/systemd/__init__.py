"""Another's units."""

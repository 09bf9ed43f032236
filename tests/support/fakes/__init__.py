"""A fake manager, Redis and clock, and children that end with the test."""

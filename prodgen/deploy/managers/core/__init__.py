"""What every process manager can do."""

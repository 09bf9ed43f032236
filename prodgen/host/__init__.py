"""What the machine that will run the bench is like."""

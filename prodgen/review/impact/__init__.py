"""What a change of config does to what runs, and why."""

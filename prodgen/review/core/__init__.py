"""File sets, what their texts mean, and how they are shown."""

"""A plan as JSON, as a diagram, and value by value."""

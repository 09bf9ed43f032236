"""The docs: their site is whole, and the commands they show do what they show."""

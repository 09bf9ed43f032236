"""A change set as text, Markdown, JSON and annotations."""

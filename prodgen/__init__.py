"""Production configuration for a Frappe bench, or any Procfile project."""

__version__ = "0.1.0"

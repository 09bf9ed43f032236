"""The JSON Schemas, and documents checked against them."""

"""A running bench: status and logs."""

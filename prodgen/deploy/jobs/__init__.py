"""Workers that stop without losing a job."""

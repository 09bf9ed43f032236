"""RQ's jobs and workers, as Redis has them."""

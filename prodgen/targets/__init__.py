"""A plan in, artifacts out: one module a target, its templates beside it."""

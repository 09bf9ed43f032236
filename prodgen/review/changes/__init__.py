"""Everything that would change: the change set, drift, outputs."""

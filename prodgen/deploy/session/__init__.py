"""One run over one bench: what its steps are given, and report."""

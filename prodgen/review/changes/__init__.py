"""The change set, drift of installed files, and comparison of output folders."""

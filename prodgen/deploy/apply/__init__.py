"""The installation of a change set, all of it or none."""

"""The process managers: one Protocol, a folder for each."""

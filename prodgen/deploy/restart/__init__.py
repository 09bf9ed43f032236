"""The restart of a bench in the safe order."""

"""The output tried with every version of its consumers."""

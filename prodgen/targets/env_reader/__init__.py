"""The target `environment`: the reader of a file of secrets."""

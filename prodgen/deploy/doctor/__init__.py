"""The checks of `prodgen doctor`."""

"""Outputs of `prodgen render`, read again; a user's templates."""

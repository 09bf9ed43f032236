"""What every parser shares: text with its places, documents, values."""

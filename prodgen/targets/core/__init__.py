"""What every target uses: artifacts, templates, shared command lines."""

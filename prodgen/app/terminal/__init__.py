"""What a terminal is given: colours, and text that commands nothing."""

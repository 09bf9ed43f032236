"""What several folders of the room need."""

"""What the protocols compute and draw with."""

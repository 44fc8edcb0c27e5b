"""What networks are measured beside: the methods from before them."""

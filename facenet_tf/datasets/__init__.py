"""Where photographs come from, and the protocols over them: people, pairs, splits."""

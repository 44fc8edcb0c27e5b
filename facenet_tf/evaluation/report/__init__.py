"""The figures for readers: the page and the console."""

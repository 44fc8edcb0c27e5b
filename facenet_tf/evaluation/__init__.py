"""Embeddings out, protocols, SVM, plots, report."""

"""Systems of any kind, opened: runs, models, weights and embeddings of others."""

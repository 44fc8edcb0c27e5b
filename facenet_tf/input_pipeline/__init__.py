"""From records to batches: P×K sampling, decoding and augmentation, and the evaluation order."""

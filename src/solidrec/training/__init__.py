"""Training: Algorithm 1 in stages, chosen on validation, resumable."""

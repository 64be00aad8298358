"""Models and their parts; no module here reads a file or computes a metric."""

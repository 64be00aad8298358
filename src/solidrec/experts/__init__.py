"""Experts that are counted, not trained: what the log and the content say about which item goes with which."""

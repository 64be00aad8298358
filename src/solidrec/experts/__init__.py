"""Experts that are counted, not trained: which items go together, by the log and the content."""

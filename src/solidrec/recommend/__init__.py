"""Answers for histories that training never saw."""

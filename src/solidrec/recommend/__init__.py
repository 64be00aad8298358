"""Recommend items for histories that training never saw."""

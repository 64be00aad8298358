"""Semantic ids of items: clusters (Eq. 7) or the nearest of an item's own categories (Eq. 8-10)."""

"""From items to semantic ids: Eq. 7 (clusters) and Eq. 8-10 (the nearest of an item's own categories)."""

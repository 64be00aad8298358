"""Public data sets of the field: their raw files, the readers of these, and published counts."""

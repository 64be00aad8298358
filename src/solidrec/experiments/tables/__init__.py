"""The tables of an experiment: what was measured, compared and written."""

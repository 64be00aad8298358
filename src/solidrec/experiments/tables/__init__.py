"""The tables of an experiment: measured rows, comparisons, and their text."""

"""Measurements of speed: what is measured, how, and the table of results."""

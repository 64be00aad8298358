"""Evaluation: protocols, intervals, significance tests and baselines to compare with."""

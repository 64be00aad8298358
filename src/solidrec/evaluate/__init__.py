"""Evaluation: protocols, intervals and the baselines that keep everybody honest."""

"""Experiments: grids of trainings, their execution, their results and their tables."""

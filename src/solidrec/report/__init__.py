"""Pages to look at: of runs, and of an experiment."""

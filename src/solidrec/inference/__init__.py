"""Score and rank candidates with trained models, for evaluation and recommending."""

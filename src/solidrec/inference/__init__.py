"""Scores and first places of trained models: what evaluation and recommending share."""

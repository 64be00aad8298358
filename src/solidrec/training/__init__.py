"""Training by the stages of Algorithm 1; validation selects weights, and runs can be resumed."""

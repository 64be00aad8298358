"""Measures that train models of their own, such as that of items held out of training."""

"""Whole experiments put together from the layers below: the demo, its report, and what the CLI reports about folders."""

"""A search over settings, judged on validation users alone."""

"""A search over settings, on validation users alone."""

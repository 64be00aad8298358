"""Checks that a configuration keeps the promises of the library (``solidrec check``)."""

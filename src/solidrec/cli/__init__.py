"""The command line: thin, typed commands; each imports the Python API only when it runs."""

from __future__ import annotations

# Importing a module registers its commands, in the order in which the help lists them.
# isort: off
from solidrec.cli import folders, semantics, datasets, encode, models, check, answers, items
from solidrec.cli import experiment, cold, search, reports

# isort: on
from solidrec.cli.app import app, main

__all__ = [
    "answers",
    "app",
    "check",
    "cold",
    "datasets",
    "encode",
    "experiment",
    "folders",
    "items",
    "main",
    "models",
    "reports",
    "search",
    "semantics",
]

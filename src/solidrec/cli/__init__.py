"""The command line: thin, typed commands over the Python API. Heavy imports happen inside the commands."""

from __future__ import annotations

# Importing a module registers its commands, in the order in which the help lists them.
from solidrec.cli import folders, semantics, datasets, encode, models, check, answers, items, experiment, search, reports  # isort: skip
from solidrec.cli.app import app, main

__all__ = [
    "answers",
    "app",
    "check",
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

"""The command line: thin, typed commands; each imports the Python API only when it runs."""

from __future__ import annotations

# Importing a module registers its commands, in the order in which the help lists them.
# isort: off
from solidrec.cli import demo, folders, semantics, datasets, encode, models, check, answers, serve
from solidrec.cli import update, items, experiment, cold, search, reports

# isort: on
from solidrec.cli.app import app, main

__all__ = [
    "answers",
    "app",
    "check",
    "cold",
    "datasets",
    "demo",
    "encode",
    "experiment",
    "folders",
    "items",
    "main",
    "models",
    "reports",
    "search",
    "semantics",
    "serve",
    "update",
]

"""The command line: thin, typed commands over the Python API. Heavy imports happen inside the commands."""

from __future__ import annotations

# Importing a module registers its commands, in the order in which the help lists them.
from solidrec.cli import (
    answers,
    check,
    datasets,
    encode,
    experiment,
    folders,
    items,
    models,
    reports,
    search,
    semantics,
)  # isort: skip
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

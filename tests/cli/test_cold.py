"""Commands for what is new: items that training never saw, and users of few events."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from solidrec.data.prepared import PreparedData


def test_the_command_runs_the_shipped_experiment(
    solidrec: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    settings = (
        "--set",
        "model.dim=8",
        "--set",
        "train.epochs=1",
        "--set",
        "train.batch_size=128",
        "--set",
        "model.history_length=4",
    )
    answer = solidrec(
        "experiment", "cold-users", data.path, "--seeds", 1, "--out", tmp_path / "out", *settings
    )
    assert answer.code == 0, answer.err
    assert "Users of few events: by events known" in answer.out
    assert (tmp_path / "out" / "tables.md").read_text(encoding="utf-8").count(
        "trunk alone"
    ) >= 3  # of 1, 2 and 3 events
    refused = solidrec(
        "experiment",
        "cold-users",
        data.path,
        "--out",
        tmp_path / "other",
        "--set",
        "model.name=duet",
    )
    assert refused.code == 2
    assert "--set model.name: is what this experiment varies" in refused.err


def test_cold_items_print_what_they_write(
    solidrec: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    small = ("--set", "model.dim=8", "--set", "train.epochs=1", "--set", "model.history_length=4")
    command = ("experiment", "cold-items", data.path, "--seeds", 1, "--share", 0.2)
    answer = solidrec(*command, "--out", tmp_path / "cold", *small, "--json")
    assert answer.code == 0, answer.err
    written = json.loads((tmp_path / "cold" / "cold-items.json").read_text(encoding="utf-8"))
    assert json.loads(answer.out) == written
    refused = solidrec(*command[:-1], 1.5, "--out", tmp_path / "other", *small)
    assert refused.code == 2

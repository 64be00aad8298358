"""The page on semantic ids, new items and new users: its commands run as they are written."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from solidrec.api import load, prepare
from solidrec.cli import main
from solidrec.semantics.modality import CATEGORIES, ID, TEXT

PAGE = "docs/semantics.md"


@pytest.fixture
def commands(repository: Path, blocks: Callable[[Path, str], list[str]]) -> list[str]:
    lines = [line for block in blocks(repository / PAGE, "sh") for line in block.splitlines()]
    return [
        line.replace("solidrec train", "solidrec train --epochs 2")
        for line in lines
        if line.startswith("solidrec ")
    ]


def test_the_commands_run(commands: list[str], shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare("clicks.csv", items="items.csv", out="data")
    pl.DataFrame(
        {"item": ["new-1", "new-2"], "title": ["thing 9 of kind 1", "thing 9 of kind 2"]}
    ).write_csv("new-items.csv")
    assert len(commands) == 8
    for line in commands:
        monkeypatch.setattr(sys, "argv", shlex.split(line, comments=True))
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code, line
    assert len(load("run3").run.items) == len(load("run1").run.items) + 2
    assert load("run2").run.semantics.levels == 3  # type: ignore[union-attr]
    assert "random ids" in (shop / "table3" / "tables.md").read_text(encoding="utf-8")
    assert (shop / "cold" / "cold-items.md").read_text(encoding="utf-8").startswith("**New items")
    assert "trunk alone" in (shop / "few" / "tables.md").read_text(encoding="utf-8")


def test_every_modality_of_the_data_itself_is_in_its_table(repository: Path) -> None:
    table = (
        (repository / PAGE)
        .read_text(encoding="utf-8")
        .partition("## Modalities")[2]
        .partition("```")[0]
    )
    assert {TEXT, CATEGORIES, ID} <= set(re.findall(r"^\| `([a-z]+)`", table, re.MULTILINE))

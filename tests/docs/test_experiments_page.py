"""The page on experiments: commands and file run as written, and its tables name what exists."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from solidrec.api import prepare
from solidrec.cli import main
from solidrec.evaluate.baselines import BASELINES
from solidrec.experiments.experiment_spec import ExperimentSpec, read_experiment
from solidrec.experiments.grid import cells_of, rows_of

PAGE = "docs/experiments.md"


def test_the_commands_and_the_file_run(
    repository: Path,
    blocks: Callable[[Path, str], list[str]],
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = prepare("clicks.csv", items="items.csv", out="data")
    for line in [line for block in blocks(repository / PAGE, "sh") for line in block.splitlines()]:
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code, line
    assert "solid-duet" in (shop / "table2" / "tables.md").read_text(encoding="utf-8")
    (file,) = blocks(repository / PAGE, "toml")
    (shop / "mine.toml").write_text(file, encoding="utf-8")
    spec = read_experiment("mine.toml")
    assert len(cells_of(spec, rows_of(spec, data), data, {})) == 3 * 3 + 1
    small = spec.sized(small=True)
    assert len(cells_of(small, rows_of(small, data), data, {})) == 3 + 1


def test_the_page_names_every_key_and_every_baseline(repository: Path) -> None:
    page = (repository / PAGE).read_text(encoding="utf-8")
    table = page.partition("| key | |")[2].partition("##")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == set(
        ExperimentSpec.model_fields
    ) - {"seeded"}
    assert f"({', '.join(BASELINES)})" in page

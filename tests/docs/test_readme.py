"""What the README promises, run as written: its Python, its commands, and its lists of names."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from solidrec.cli import main
from solidrec.spec import BACKBONE_NAMES, MIXTURE_NAMES, MODEL_NAMES

Blocks = Callable[[Path, str], list[str]]
SHORT = {
    "data, seed=0": "data, epochs=2, seed=0",
    "solidrec train": "solidrec train --epochs 2",
    "run table1-small data": "run table2-small data --set train.epochs=1",
}
"""Training to convergence is not what these tests are about."""


def shortened(text: str) -> str:
    for long, short in SHORT.items():
        text = text.replace(long, short)
    return text


@pytest.fixture
def example(repository: Path, blocks: Blocks) -> str:
    return blocks(repository / "README.md", "python")[0]


def run(code: str, **names: Any) -> dict[str, Any]:
    """Run a block in a namespace of its own and return that."""
    exec(compile(code, "README.md", "exec"), names)
    return names


def test_the_first_example_is_short_and_comes_first(repository: Path, example: str) -> None:
    assert len(example.splitlines()) < 10
    assert (
        (repository / "README.md")
        .read_text(encoding="utf-8")
        .partition("```")[2]
        .startswith("python\n")
    )


@pytest.mark.parametrize("kind", ["path", "polars", "pandas"])
def test_the_first_example_runs(
    kind: str, example: str, repository: Path, blocks: Blocks, shop: Path
) -> None:
    frames = {
        "polars": pl.read_csv("clicks.csv", infer_schema=False),
        "pandas": pd.read_csv("clicks.csv", dtype=str),
    }
    code = shortened(example)
    assert code != example
    log = frames.get(kind, "clicks.csv")
    found = run(code.replace('"clicks.csv"', "log"), log=log)
    assert (found["data"].manifest["users"], found["data"].manifest["items"]) == (40, 30)
    assert found["model"].run.path == Path("run")
    answer = run(blocks(repository / "README.md", "python")[1], model=found["model"])["answer"]
    assert len(answer.items) == 10
    assert not {"50", "181", "174"} & {item["item"] for item in answer.items}
    assert (answer.ignored, answer.fallback) == ([], None)


def test_the_commands_run(
    repository: Path, blocks: Blocks, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = [
        line
        for block in blocks(repository / "README.md", "sh")
        for line in shortened(block).splitlines()
    ]
    commands = [line for line in commands if line.startswith("solidrec ")]
    assert {line.split()[1] for line in commands} >= {
        "prepare",
        "train",
        "evaluate",
        "recommend",
        "inspect",
        "doctor",
    }
    for line in commands:
        monkeypatch.setattr(sys, "argv", shlex.split(line, comments=True))
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code, line
    assert pl.read_parquet("recommendations.parquet")["user"].unique().sort().to_list() == [
        "a",
        "b",
    ]
    assert pl.read_parquet("scores.parquet").columns == ["user", "item", "label", "score"]


def test_every_make_target_exists(repository: Path, blocks: Blocks) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE))
    targets = set(
        re.findall(
            r"^([a-z-]+):", (repository / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert {"demo", "test"} <= named <= targets


def test_every_model_and_backbone_is_listed(repository: Path) -> None:
    section = (
        (repository / "README.md")
        .read_text(encoding="utf-8")
        .partition("## Models and backbones")[2]
        .partition("## ")[0]
    )
    named = set(re.findall(r"`([a-z0-9][a-z0-9-]+)`", section))
    assert named == {*MODEL_NAMES, *MIXTURE_NAMES, *BACKBONE_NAMES, "train"}

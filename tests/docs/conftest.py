"""What the tests of the documentation share: the files, a small log, and the code in a text."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

USERS, ITEMS, EVENTS = 40, 30, 7


@pytest.fixture(scope="session")
def pages(repository: Path) -> list[Path]:
    """Every page of the documentation."""
    return [
        repository / "README.md",
        repository / "CHANGELOG.md",
        *sorted((repository / "docs").glob("*.md")),
    ]


@pytest.fixture
def generated(repository: Path, tmp_path: Path) -> Callable[[str], str]:
    """Return what ``docs/make_NAME.py`` writes now."""

    def make(name: str) -> str:
        out = tmp_path / f"{name}.md"
        command = [sys.executable, f"docs/make_{name}.py", str(out)]
        subprocess.run(command, check=True, cwd=repository)
        return out.read_text(encoding="utf-8")

    return make


@pytest.fixture(scope="session")
def blocks() -> Callable[[Path, str], list[str]]:
    """Return the code blocks of a language in a page."""

    def find(page: Path, language: str) -> list[str]:
        return re.findall(
            rf"^```{language}\n(.*?)^```",
            page.read_text(encoding="utf-8"),
            re.DOTALL | re.MULTILINE,
        )

    return find


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with clicks.csv, items.csv and histories.parquet, whose ids the README names."""
    rng = np.random.default_rng(0)
    names = ["50", "181", "174", *(f"{number:03}" for number in range(ITEMS - 3))]
    steps = (
        rng.integers(ITEMS, size=(USERS, 1)) + rng.integers(1, 4, size=(USERS, EVENTS)).cumsum(1)
    ) % ITEMS
    rows = [
        (f"u{user}", names[item], time)
        for user, walk in enumerate(steps)
        for time, item in enumerate(walk)
    ]
    pl.DataFrame(rows, schema=["user", "item", "timestamp"], orient="row").write_csv(
        tmp_path / "clicks.csv"
    )
    titles = [f"thing {number % 5} of kind {number // 5}" for number in range(ITEMS)]
    pl.DataFrame({"item": names, "title": titles}).write_csv(tmp_path / "items.csv")
    pl.DataFrame({"user": ["a", "b"], "history": [["50", "003"], ["181"]]}).write_parquet(
        tmp_path / "histories.parquet"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path

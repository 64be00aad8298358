"""The page on statistics: its example prints what it says, and its names of models are those that are compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from solidrec.experiments.tables.contrasts import REFERENCES

PAGE = "docs/statistics.md"


def test_the_example_prints_what_the_page_shows(
    repository: Path, blocks: Callable[[Path, str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    (code,), (text,) = blocks(repository / PAGE, "python"), blocks(repository / PAGE, "text")
    exec(compile(code, PAGE, "exec"), {})
    assert capsys.readouterr().out == text


def test_the_page_names_who_is_compared_with_whom(repository: Path) -> None:
    text = " ".join((repository / PAGE).read_text(encoding="utf-8").split())
    for solid, others in REFERENCES.items():
        assert f"`{solid}` with {', '.join(f'`{name}`' for name in others)}" in text
    assert re.search(r"`apg` under `solid-apg`, `duet` under `solid-duet`", text)

"""docs/errors.md is what the source raises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def test_the_page_is_up_to_date(repository: Path, generated: Callable[[str], str]) -> None:
    page = (repository / "docs" / "errors.md").read_text(encoding="utf-8")
    assert page == generated("errors"), "run `make docs`"


def test_every_class_has_its_exit_code_and_messages(repository: Path) -> None:
    page = (repository / "docs" / "errors.md").read_text(encoding="utf-8")
    codes = [2, 65, 70, 70, 74, 75, 76, 77, 78]
    heads = [line for line in page.splitlines() if line.startswith("## ")]
    assert [int(line[3:].partition(":")[0]) for line in heads] == codes
    assert "- `...: is empty; give a file with a header and rows` (data/readers.py)" in page
    assert all("- `" in part for part in page.split("\n## ")[1:])

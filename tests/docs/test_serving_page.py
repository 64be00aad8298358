"""The page on serving: its examples print what it shows, and its table has every rule."""

from __future__ import annotations

import doctest
from pathlib import Path

from solidrec.recommend.rules import Rules


def test_the_examples_print_what_the_page_shows(repository: Path) -> None:
    found = doctest.testfile(str(repository / "docs" / "serving.md"), module_relative=False)
    assert found.attempted >= 6
    assert found.failed == 0


def test_the_table_has_every_rule_in_python_and_on_the_command_line(repository: Path) -> None:
    page = (repository / "docs" / "serving.md").read_text(encoding="utf-8")
    for name in Rules.model_fields:
        assert f"| `{name}=" in page
        assert f"| `--{name.replace('_', '-')} " in page

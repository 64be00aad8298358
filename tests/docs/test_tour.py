"""The tour's code runs and its ten hops stand in order."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest


def test_the_tour_is_true(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(
        str(repository / "docs" / "tour.md"), module_relative=False, encoding="utf-8"
    )
    assert found.failed == 0
    assert found.attempted > 40


def test_there_are_ten_hops(repository: Path) -> None:
    headings = re.findall(
        r"^## (\d+)\. ", (repository / "docs" / "tour.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [int(number) for number in headings] == list(range(1, 11))


def test_each_hop_names_a_place_in_the_source_and_shows_code(repository: Path) -> None:
    text = (repository / "docs" / "tour.md").read_text(encoding="utf-8")
    hops = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    for hop in hops:
        assert re.search(r"`[\w/]+\.py:[\w.]+`", hop), hop.splitlines()[0]
        assert "```pycon" in hop, hop.splitlines()[0]

"""Words on the command line that name nothing a file could be called end in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Solidrec = Callable[..., Any]


def test_an_argument_whose_bytes_are_no_text_is_one_line(solidrec: Solidrec) -> None:
    done = solidrec("inspect", "a\udcff")
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert "its bytes are no UTF-8 text" in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("inspect", "LONG"),
        ("semantics", "LONG"),
        ("check", "LONG"),
        ("recommend", "LONG", "--history", "x"),
        ("experiment", "status", "LONG"),
        ("experiment", "run", "table1-small", "LONG", "--out", "out"),
        ("train", "data", "--config", "LONG"),
        ("items", "add", "/", "LONG"),
        ("search", "LONG", "--out", "out"),
    ],
)
def test_a_name_that_no_file_can_have_is_one_short_line(
    solidrec: Solidrec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = solidrec(*("a" * 5_000 if word == "LONG" else word for word in words))
    assert done.code in (2, 74), done.err
    assert (done.out, len(done.err.splitlines())) == ("", 1)
    assert len(done.err) < 400
    assert "fault of solidrec" not in done.err

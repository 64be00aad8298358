"""The command that serves: what cannot be served is one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Solidrec = Callable[..., Any]


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        (["--host", "0.0.0.0"], 2, "others can reach it; give --token-file"),
        (["--queue", "0"], 2, "queue: input should be greater than or equal to 1"),
        (["--token-file", "none"], 74, "none: cannot be read as a token"),
        (["--device", "cuda:9"], 2, "cuda"),
    ],
)
def test_what_cannot_be_served_is_one_line(
    solidrec: Solidrec, run_folder: Path, options: list[str], code: int, why: str
) -> None:
    answer = solidrec("serve", run_folder, *options)
    assert answer.code == code
    assert why in answer.err
    assert answer.err.count("\n") == 1


def test_a_folder_that_is_no_run_is_one_line(solidrec: Solidrec, tmp_path: Path) -> None:
    answer = solidrec("serve", tmp_path / "none")
    assert answer.code == 74
    assert "no such folder" in answer.err

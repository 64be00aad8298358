"""The command that keeps a model fresh: what it cannot update is one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("user,item,position\nu000,i00,0\n", 78, "only 90 users have a new event to judge by"),
        ("user,item\nu000,i00\n", 2, "--time-column NAME, or say --order file"),
        ("user,item,timestamp\nu000,i00,5\n", 65, "ordered by timestamp"),
    ],
)
def test_what_cannot_be_updated_is_one_line(
    solidrec: Any, run_folder: Path, tmp_path: Path, text: str, code: int, reason: str
) -> None:
    (tmp_path / "log.csv").write_text(text)
    answer = solidrec("update", run_folder, tmp_path / "log.csv", "--out", tmp_path / "new")
    assert answer.code == code, answer.err
    assert reason in answer.err.splitlines()[-1]
    assert not (tmp_path / "new").exists()

"""The command of the demo; what it does is tested in tests/test_demo.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_folder_without_the_data_is_one_line(
    solidrec: Callable[..., Any], tmp_path: Path
) -> None:
    answer = solidrec("demo", "--out", tmp_path / "demo", "--data", tmp_path / "nowhere")
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (74, "", 1)
    assert "nowhere" in answer.err
    assert not (tmp_path / "demo" / "report.html").exists()

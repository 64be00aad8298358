"""`items add` on the command line: what it wrote, and what it could not make out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("item,title,categories\nnew,thing of kind 3,kind 3\n", None),
        (
            "item,name2\nnew,thing of kind 3\n",
            "no column says what the items are: name one by --title-column",
        ),
        (
            "item,title,categories\nnew,thing of kind 3,kind 3|kind 4\n",
            "--category-separator '|' splits a text at |",
        ),
    ],
)
def test_new_items_of_which_nothing_is_known_get_a_hint(
    solidrec: Any, run_folder: Path, tmp_path: Path, text: str, hint: str | None
) -> None:
    (tmp_path / "new.csv").write_text(text)
    answer = solidrec("items", "add", run_folder, tmp_path / "new.csv", "--out", tmp_path / "grown")
    assert answer.out == f"wrote {tmp_path / 'grown'}: 1 items added, 41 in all\n"
    assert "known of the new items: " in answer.err
    hints = ("no column says", "training knew none")
    assert hint in answer.err if hint else not any(each in answer.err for each in hints)

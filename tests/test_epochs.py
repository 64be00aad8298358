from __future__ import annotations

from pathlib import Path

import pytest

from solidrec.epochs import HISTORY, read_history, score_of, select_of, write_history
from solidrec.errors import DamagedError

VALID = {"UAUC": 0.7, "NDCG@10": 0.1}


@pytest.mark.parametrize(
    ("row", "name", "score"),
    [
        ({"valid": VALID}, "UAUC", 0.7),  # as 0.1 logged it
        ({"valid": VALID, "select": "NDCG@10"}, "NDCG@10", 0.1),
        ({"valid": VALID, "select": "full NDCG@10"}, "full NDCG@10", 0.1),
        ({"valid": None}, "UAUC", None),
        ({"valid": {}, "select": "MRR"}, "MRR", None),
    ],
)
def test_the_metric_that_judged_an_epoch(
    row: dict[str, object], name: str, score: float | None
) -> None:
    assert (select_of(row), score_of(row)) == (name, score)


def test_a_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [{"epoch": 1, "valid": VALID}, {"epoch": 2, "valid": None}]
    write_history(tmp_path, rows)
    assert read_history(tmp_path) == rows


@pytest.mark.parametrize("text", [None, '{"epoch": 1', "\xff"])
def test_a_log_that_is_missing_or_broken_is_an_error(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / HISTORY).write_bytes(text.encode("latin-1"))
    with pytest.raises(DamagedError, match=HISTORY):
        read_history(tmp_path)

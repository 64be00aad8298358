"""Delisted items stay known, and are never recommended."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from solidrec.api import Model, load
from solidrec.data.readers import read_table
from solidrec.errors import UsageError
from solidrec.runs import copy_run
from solidrec.updates.delisted import ids_of, without


def test_delisted_items_are_known_and_never_recommended(run_folder: Path, tmp_path: Path) -> None:
    model = load(run_folder)
    best = [one["item"] for one in model.recommend(["i01", "i06"], 5).items]
    copy_run(without(model.run, [best[0], best[2], "other"]), tmp_path / "run", facts={})
    again = load(tmp_path / "run")
    found = [one["item"] for one in again.recommend(["i01", "i06"], 40, keep_history=True).items]
    assert len(found) == 40 - 2
    assert best[0] not in found
    assert best[2] not in found
    assert again.recommend([best[0]], 3).ignored == []
    assert best[0] not in [one["item"] for one in again.similar("i01", 39)]
    # the rules of a request cannot bring it back
    assert again.recommend(["i01"], 3, candidates=[best[0]]).items == []


def test_a_new_list_replaces_the_old_one(run_folder: Path) -> None:
    run = without(without(load(run_folder).run, ["i01"]), ["i02"])
    found = [one["item"] for one in Model(run).recommend([], 40).items]
    assert "i01" in found
    assert "i02" not in found
    assert len(Model(without(run, [])).recommend([], 40).items) == 40


def test_a_list_of_which_nothing_is_known_is_refused(run_folder: Path) -> None:
    with pytest.raises(UsageError, match=r"none of the 2 items to delist is known, .* 'x'"):
        without(load(run_folder).run, ["x", "y"])


def test_ids_are_read_from_the_column_of_items(tmp_path: Path) -> None:
    pl.DataFrame({"item": ["b", "a", "b"], "why": [1, 2, 3]}).write_csv(tmp_path / "gone.csv")
    assert ids_of(read_table(tmp_path / "gone.csv"), {}) == ["b", "a"]

"""A plan says which cells an experiment has, and comes back from its folder as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from solidrec.errors import DamagedError, IncompatibleError, StorageError
from solidrec.experiments.plan import Plan


def test_a_plan_comes_back_as_it_was(copied: Path, tmp_path: Path) -> None:
    plan = Plan.load(copied)
    (tmp_path / "other").mkdir()
    plan.save(tmp_path / "other")
    assert Plan.load(tmp_path / "other") == plan


def test_rows_have_their_cells_and_those_without_are_left_out(copied: Path) -> None:
    plan = Plan.load(copied)
    by_row = plan.by_row(plan.places)
    assert [place for _, places in by_row for place in places] == sorted(
        plan.places, key=lambda place: [row.name for row in plan.rows].index(place.row)
    )
    first = plan.rows[0].name
    rest = [place for place in plan.places if place.row != first]
    assert [row.name for row, _ in plan.by_row(rest)] == [row.name for row in plan.rows[1:]]
    assert plan.seeds == len({place.seed for place in plan.places}) >= 2


def test_a_folder_keeps_the_results_of_one_data_set(copied: Path) -> None:
    plan = Plan.load(copied)
    other = replace(plan, data="0" * 64, data_path="/somewhere/shop")
    with pytest.raises(IncompatibleError, match=r"holds results on .*not on shop \(000000000000\)"):
        other.save(copied)
    assert Plan.load(copied) == plan


def test_a_folder_without_a_plan_and_a_plan_that_is_none_are_named(
    copied: Path, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match="is no folder of an experiment"):
        Plan.load(tmp_path)
    (copied / "experiment.json").write_text('{"title": "half"}', encoding="utf-8")
    with pytest.raises(DamagedError, match=r"experiment.json: is not a plan"):
        Plan.load(copied)

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from solidrec.evaluate.significance import crossed
from solidrec.evaluate.stability import METRICS, Stability
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.experiments.tables.stability import (
    _steady,
    stability_table,
    steadiness,
    steadiness_contrasts,
    write_stability,
)


def of_user(values: list[float], users: list[int]) -> Stability:
    column = np.array(values)
    kinds = dict.fromkeys(("swap", "add"), column)
    return Stability(0, np.array(users), dict.fromkeys(METRICS, column), kinds, kinds, None)


def test_targets_of_a_user_are_averaged_and_what_is_not_there_takes_no_part(tmp_path: Path) -> None:
    write_stability(tmp_path, "k", of_user([0.4, 0.1, 0.2, np.nan, np.nan], [7, 3, 7, 3, 9]))
    found = _steady(pl.read_parquet(file_of("k", tmp_path)))
    assert found["user"].to_list() == [3, 7, 9]
    steadiness = found["steadiness of UAUC"].to_numpy()
    np.testing.assert_allclose(steadiness, [-100, -1000 * (0.4 + 0.2) / 2, np.nan])


def test_the_file_of_a_cell_is_what_its_record_sums_up(measured_experiment: Path) -> None:
    plan, results = Plan.load(measured_experiment), Results(measured_experiment)
    place = next(place for place in plan.places if place.row == "solid-duet")
    frame = pl.read_parquet(file_of(place.key, measured_experiment))
    record = results.records[place.key]["measures"]["stability"]
    assert len(frame) == record["users"] == 90
    column = frame["variance UAUC"]
    four = [column.median(), column.mean(), column.min(), column.max()]
    assert list(record["variance"]["UAUC"].values()) == pytest.approx(four)
    assert record["perturbations"]["swap"]["weights"] == pytest.approx(frame["swap weights"].mean())
    static = next(place.key for place in plan.places if place.row == "static")
    assert not any(
        "weights" in name for name in pl.read_parquet(file_of(static, measured_experiment)).columns
    )


def file_of(key: str, out: Path) -> Path:
    return out / "users" / f"{key}-stability.parquet"


def test_solid_is_tested_against_duet_over_the_same_users_and_seeds(
    measured_experiment: Path,
) -> None:
    plan, results = Plan.load(measured_experiment), Results(measured_experiment)
    of = {
        row: np.stack(
            [
                pl.read_parquet(file_of(place.key, measured_experiment))
                .sort("user")["variance UAUC"]
                .to_numpy()
                for place in plan.places
                if place.row == row
            ]
        )
        for row in ("duet", "solid-duet")
    }
    contrast = next(
        each for each in steadiness_contrasts(steadiness(plan, results)) if each.comparison.base
    )
    assert (contrast.comparison.one, contrast.comparison.other) == ("solid-duet", "duet")
    expected = crossed(1000 * (of["duet"] - of["solid-duet"]))  # positive: solid varies less
    assert contrast.found is not None
    assert contrast.found.mean == pytest.approx(expected.mean)
    assert contrast.found.p == pytest.approx(expected.p)
    assert contrast.found.seeds == 2


def test_the_table_has_the_papers_four_numbers_and_ours_in_thousandths(
    measured_experiment: Path,
) -> None:
    plan, results = Plan.load(measured_experiment), Results(measured_experiment)
    table = stability_table(plan, results)
    assert table is not None
    first = table.grids[0]
    line = next(line for line in first.lines if line[0].text == "duet")
    records = [results.records[place.key] for place in plan.places if place.row == "duet"]
    mean = np.mean(
        [record["measures"]["stability"]["variance"]["UAUC"]["mean"] for record in records]
    )
    assert line[2].text == f"{1000 * mean:.3f}"
    assert [part.text for part in line[5:]] == ["0.35", "0.42", "0.08", "0.69"]
    assert [line[0].text for line in table.grids[-1].lines] == 4 * ["static", "duet", "solid-duet"]
    assert list(dict.fromkeys(table.grids[-1].blocks)) == ["swap", "drop", "duplicate", "add"]
    value = next(
        n.value
        for n in table.numbers
        if (n.row, n.seed, n.quantity) == ("duet", 1, "variance UAUC mean")
    )
    assert value == records[1]["measures"]["stability"]["variance"]["UAUC"]["mean"]


def test_without_the_users_files_the_numbers_stay_and_the_test_goes(copied: Path) -> None:
    for path in (copied / "users").glob("*-stability.parquet"):
        path.unlink()
    table = stability_table(Plan.load(copied), Results(copied))
    assert table is not None
    assert not any("comparisons" in grid.title for grid in table.grids)
    assert any("not kept for 6 of the cells" in note for note in table.notes)

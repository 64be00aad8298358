"""Users of few events, as a table of an experiment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from solidrec.errors import DamagedError
from solidrec.evaluate.few_events import _EVENTS, METRICS
from solidrec.evaluate.significance import crossed
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.experiments.tables.few_events import _rows_by_events, few_events_table
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.users import users_file

ROWS = ("static", "duet", "solid-duet", "solid-duet, trunk alone")


def rows_by_events(plan: Plan, results: Results) -> dict[int, list[Measured]]:
    return _rows_by_events(plan, results, results.kept(plan, "few-events"))


def test_each_row_has_its_means_at_each_number_of_events(measured_experiment: Path) -> None:
    plan, results = Plan.load(measured_experiment), Results(measured_experiment)
    table = few_events_table(plan, results)
    assert table is not None
    grid = table.grids[0]
    assert [line[0].text for line in grid.lines] == list(ROWS) * len(_EVENTS)
    assert list(dict.fromkeys(grid.blocks)) == [
        "1 event",
        *(f"{events} events" for events in _EVENTS[1:]),
    ]
    keys = [place.key for place in plan.places if place.row == "static"]
    values = [results.records[key]["measures"]["few-events"]["whole"]["1"]["UAUC"] for key in keys]
    assert grid.lines[0][1].text == f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}"
    assert len(table.numbers) == len(ROWS) * len(_EVENTS) * len(METRICS) * 2  # seeds


def test_rows_are_tested_against_the_first_and_a_whole_model_against_its_trunk(
    measured_experiment: Path,
) -> None:
    plan, results = Plan.load(measured_experiment), Results(measured_experiment)
    table = few_events_table(plan, results)
    assert table is not None
    texts = [[part.text for part in line] for line in table.grids[1].lines]
    assert len(texts) == len(_EVENTS) * len(METRICS) * (3 + 1)
    line = next(
        line
        for line in texts
        if line[:3] == ["solid-duet, 3 events", "solid-duet, trunk alone", "UAUC"]
    )
    whole, trunk = (
        next(row for row in rows_by_events(plan, results)[3] if row.name == name)
        for name in ("solid-duet", "solid-duet, trunk alone")
    )
    expected = crossed(whole.per_user["UAUC"] - trunk.per_user["UAUC"])
    assert line[3].startswith(f"{expected.mean:+.4f}")


def test_the_values_of_users_are_those_that_the_record_sums_up(measured_experiment: Path) -> None:
    plan, results = Plan.load(measured_experiment), Results(measured_experiment)
    place = next(place for place in plan.places if place.row == "solid-duet")
    frame = pl.read_parquet(users_file(measured_experiment, place.key, "few-events"))
    assert frame["user"].to_list() == list(range(1, 91))
    for variant, of in results.records[place.key]["measures"]["few-events"].items():
        for events, means in of.items():
            for metric, value in means.items():
                assert frame[f"{variant} {events} {metric}"].mean() == pytest.approx(value)


def test_cells_whose_users_are_gone_are_left_out_and_said(copied: Path) -> None:
    plan, results = Plan.load(copied), Results(copied)
    gone = next(place for place in plan.places if place.row == "duet")
    users_file(copied, gone.key, "few-events").unlink()
    table = few_events_table(plan, results)
    assert table is not None
    assert "not kept for 1 of the cells" in table.notes[-1]
    assert next(row for row in rows_by_events(plan, results)[1] if row.name == "duet").seeds == (
        1 - gone.seed,
    )
    for path in (copied / "users").glob("*-few-events.parquet"):
        path.unlink()
    assert few_events_table(plan, results) is None


def test_a_file_that_cannot_be_read_names_its_cure(copied: Path) -> None:
    plan = Plan.load(copied)
    users_file(copied, plan.places[0].key, "few-events").write_bytes(b"no parquet")
    with pytest.raises(DamagedError, match=f"remove the line of {plan.places[0].key}"):
        few_events_table(plan, Results(copied))

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from solidrec.experiments.grid import Row
from solidrec.json_files import read_json, sealed, write_json
from solidrec.report.material import Material, _looks_of, charts_of

Read = Callable[[Path], Material]


def test_a_chart_never_shows_one_colour_twice() -> None:
    rows = [Row(f"r{n}", {"train.codebook_weight": str(n)}) for n in range(9)]
    looks = _looks_of(rows)
    charts = charts_of([row.name for row in rows], {row.name: "" for row in rows})
    assert [len(names) for _, names in charts] == [5, 4]
    for _, names in charts:
        assert len({looks[name].color for name in names}) == len(names)


def test_a_model_looks_alike_on_every_backbone_and_a_baseline_is_hollow() -> None:
    rows = [
        Row(f"{b} · {m}", {"model.backbone.name": b, "model.name": m})
        for b in ("din", "sasrec")
        for m in ("duet", "apg")
    ]
    looks = _looks_of([*rows, Row("popularity", baseline="popularity")])
    assert looks["din · apg"] == looks["sasrec · apg"] != looks["din · duet"]
    assert looks["din · apg"].label == "apg"
    assert looks["popularity"].hollow


def test_rows_of_one_model_and_backbone_differ_in_colour() -> None:
    rows = [
        Row(f"{m} {c}", {"model.name": m, "model.clip": c})
        for m in ("sml", "solid-duet")
        for c in ("0.1", "1.0")
    ]
    assert len({look.color for look in _looks_of(rows).values()}) == 4


def test_all_is_there_and_nothing_is_lacking(of: Material) -> None:
    assert not of.lacking
    assert [table.name for table in of.measures] == ["stability", "cost", "few-events"]
    assert [(place.row, place.seed) for place in of.trained()[:3]] == [
        ("static", 0),
        ("static", 1),
        ("duet", 0),
    ]
    assert [place.row for place in of.first_seeds()] == ["static", "duet", "solid-duet"]


def test_without_users_the_means_stay_and_nothing_is_compared(
    copied: Path, of: Material, read_material: Read
) -> None:
    shutil.rmtree(copied / "users")
    found = read_material(copied)
    for table, before in zip(found.tables, of.tables, strict=True):
        assert table.users == before.users == 90
        assert not table.contrasts
        means = [[cell.mean for cell in line.cells] for line in table.lines]
        for one, other in zip(
            means, [[cell.mean for cell in line.cells] for line in before.lines], strict=True
        ):
            assert one == pytest.approx(other)
        assert all(cell.low is None for line in table.lines for cell in line.cells)
    assert sum("users/ lacks" in each for each in found.lacking) == 2
    assert [table.name for table in found.measures] == ["stability", "cost"]


def test_runs_and_data_that_are_gone_or_others_are_named(copied: Path, read_material: Read) -> None:
    shutil.rmtree(copied / "runs")
    plan = read_json(copied / "experiment.json")
    write_json(copied / "experiment.json", sealed(plan | {"data_path": str(copied / "nowhere")}))
    found = read_material(copied)
    assert found.data is None
    assert any("it is no longer there" in each for each in found.lacking)
    assert any("runs/ lacks 6 of 6" in each for each in found.lacking)
    assert not found.runs
    assert found.history(found.trained()[0]) == []
    write_json(copied / "experiment.json", sealed(plan | {"data": "0" * 64}))
    assert any("other data is there now" in each for each in read_material(copied).lacking)


def test_a_damaged_model_is_named(copied: Path, of: Material, read_material: Read) -> None:
    place = of.first_seeds()[-1]
    (copied / "runs" / place.key / "weights.safetensors").write_bytes(b"damaged")
    found = read_material(copied)
    assert list(found.runs) == ["static", "duet"]
    assert any(
        each.startswith("The trained model of solid-duet cannot be read") for each in found.lacking
    )

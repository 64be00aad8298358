"""One experiment is one file: rows and cells of a grid, and errors that name the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solidrec.backbone_spec import BackboneSpec
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.experiments.experiment_spec import ExperimentSpec, read_experiment, shipped
from solidrec.experiments.grid import Cell, _kinds, cells_of, rows_of
from solidrec.nn.backbones import GRU4Rec
from solidrec.registry import BACKBONES
from solidrec.settings import nested


def experiment(**values: Any) -> ExperimentSpec:
    return ExperimentSpec.parse({"title": "t", **values})


def test_the_grid_is_the_product_of_its_axes_and_the_listed_rows_follow(data: PreparedData) -> None:
    spec = experiment(
        seeds=2,
        axes={"model.backbone": ["din", "sasrec"], "model.clip": [0.1, 1.0]},
        rows=[
            {"name": "popularity", "baseline": "popularity"},
            {"name": "mine", "settings": {"model.name": "spg"}},
        ],
    )
    rows = rows_of(spec, data)
    assert [row.name for row in rows] == [
        "din · clip 0.1",
        "din · clip 1",
        "sasrec · clip 0.1",
        "sasrec · clip 1",
        "popularity",
        "mine",
    ]
    assert rows[1].labels == {"model.backbone.name": "din", "model.clip": "1"}
    assert rows[1].settings == {"model": {"backbone": {"name": "din"}, "clip": 1.0}}
    cells = cells_of(spec, rows, data, {"train": {"epochs": 3}})
    assert len(cells) == 2 * 5 + 1  # a baseline has one cell, whatever the seeds
    assert len({cell.key for cell in cells}) == len(cells)
    for cell in cells:
        assert cell.data == data.fingerprint
        if cell.spec is not None:
            assert (cell.spec.seed, cell.spec.semantics.seed, cell.spec.train.epochs) == (
                cell.seed,
                cell.seed,
                3,
            )


def test_a_cell_is_named_by_what_decides_it_and_by_nothing_else(data: PreparedData) -> None:
    one = experiment(seeds=1, axes={"model.name": ["static", "duet"]})
    other = experiment(
        title="another", seeds=3, axes={"model.name": ["duet", "spg"]}, protocols=["full"]
    )
    keys = [
        {cell.row: cell.key for cell in cells_of(e, rows_of(e, data), data, {}) if cell.seed == 0}
        for e in (one, other)
    ]
    assert keys[0]["duet"] == keys[1]["duet"]
    changed = cells_of(one, rows_of(one, data), data, {"model": {"dim": 16}})
    assert {cell.key for cell in changed}.isdisjoint(keys[0].values())


def test_every_subset_of_the_kinds_of_modality(data: PreparedData) -> None:
    rows = rows_of(
        experiment(axes={"semantics.modalities": "subsets"}), data
    )  # this data has titles and ids
    assert [row.name for row in rows] == ["id", "text", "id + text"]
    assert rows[2].settings == {"semantics": {"modalities": ["id", "text"]}}
    assert _kinds(["image", "image_tokens", "text_tokens", "brand", "id"]) == [
        "id",
        "image",
        "text_tokens",
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"axis": {}}, "unknown setting 'axis'; did you mean 'axes'?"),
        ({"layout": "table9"}, "did you mean 'table"),
        ({"rows": [{"name": "x", "baseline": "popular"}]}, "did you mean 'popularity'?"),
        (
            {"rows": [{"name": "x", "settings": {"a.b": 1}}, {"name": "x"}]},
            "two rows are called 'x'",
        ),
        ({}, "has no rows"),
        ({"axes": {"model.name": ["static"]}, "reference": "statik"}, "did you mean 'static'?"),
        ({"axes": {"model.name": "subsets"}}, "only semantics.modalities"),
        ({"axes": {"model.nam": ["static"]}}, "did you mean 'model.name'?"),
        ({"axes": {"model.name": ["sttic"]}}, "did you mean 'static'?"),
        ({"axes": {"seed": [0, 1]}}, "row 'seed 0' sets seed"),
        ({"axes": {"semantics.seed": [3, 4]}}, "row 'seed 3' sets semantics.seed"),
        ({"settings": {"seed": 7}, "rows": [{"name": "x"}]}, "row 'x' sets seed"),
        (
            {"rows": [{"name": "x", "settings": {"data": "y"}}]},
            "row 'x' sets data, but the data says that",
        ),
        (
            {
                "rows": [
                    {"name": "x", "baseline": "popularity", "settings": {"model.history_length": 5}}
                ]
            },
            "a baseline has no settings",
        ),
        ({"rows": [{"name": " "}]}, "is empty or has several lines"),
        ({"rows": [{"name": "a\nb"}]}, "is empty or has several lines"),
        ({"rows": [{"name": "x"}], "protocols": []}, "setting protocols"),
        (
            {
                "layout": "figure5",
                "axes": {
                    "model.backbone": ["din", "sasrec"],
                    "train.codebook_weight": [1.0],
                    "model.clip": [0.1],
                },
            },
            "have one place in figure5",
        ),
        (
            {
                "layout": "figure5",
                "rows": [
                    {"name": "x", "labels": {"train.codebook_weight": "none", "model.clip": "1"}}
                ],
            },
            "needs numbers for train.codebook_weight",
        ),
        ({"rows": [{"name": "x"}], "seeds": 10**9}, "has 1,000,000,000 cells"),
        (
            {
                "axes": {
                    "model.dim": list(range(1, 1000)),
                    "model.history_length": list(range(1, 1000)),
                }
            },
            "cells; give fewer",
        ),
    ],
)
def test_a_file_that_says_nothing_sensible_is_one_line(
    data: PreparedData, values: dict[str, Any], said: str
) -> None:
    def cells() -> object:
        spec = experiment(**values)
        return cells_of(spec, rows_of(spec, data), data, {})

    with pytest.raises(UsageError) as caught:
        cells()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_axes_may_be_tables_and_a_date_is_no_value(data: PreparedData, tmp_path: Path) -> None:
    tables, dotted = (
        experiment(axes={"model": {"name": ["static", "spg"]}}),
        experiment(axes={"model.name": ["static", "spg"]}),
    )
    assert rows_of(tables, data) == rows_of(dotted, data)
    (tmp_path / "mine.toml").write_text(
        'title = "t"\n[axes]\n"model.dim" = [2020-01-01]\n', encoding="utf-8"
    )
    with pytest.raises(UsageError, match="no setting takes a date"):
        read_experiment(str(tmp_path / "mine.toml"))


def test_a_baseline_reads_as_much_of_a_history_as_the_runs(data: PreparedData) -> None:
    spec = experiment(
        axes={"model.name": ["static"]}, rows=[{"name": "knn", "baseline": "item-knn"}]
    )

    def cell(settings: dict[str, Any]) -> Cell:
        return next(
            cell for cell in cells_of(spec, rows_of(spec, data), data, settings) if cell.baseline
        )

    usual, longer = cell({}), cell({"model": {"history_length": 20}})
    assert (usual.length, longer.length) == (10, 20)
    assert usual.key != longer.key
    assert usual.key == cell({"model": {"history_length": 10}}).key


@pytest.mark.parametrize("key", ["model.name", "semantics.seed", "seed"])
def test_settings_may_not_say_what_the_grid_varies(data: PreparedData, key: str) -> None:
    spec = experiment(axes={"model.name": ["static"]})
    with pytest.raises(UsageError, match=f"--set {key}"):
        cells_of(spec, rows_of(spec, data), data, nested({key: 1}))


def test_an_axis_by_an_earlier_name_wins_over_the_settings_and_is_not_set(
    data: PreparedData,
) -> None:
    spec = experiment(settings={"model.blocks": 4}, axes={"model.blocks": [1, 2]})
    rows = rows_of(spec, data)
    found = [cell.spec.model.backbone.own() for cell in cells_of(spec, rows, data, {}) if cell.spec]
    assert {own["blocks"] for own in found} == {1, 2}
    with pytest.raises(UsageError, match=r"--set model\.backbone\.blocks: is what this experiment"):
        cells_of(spec, rows, data, nested({"model.blocks": 3}))


def test_settings_of_a_backbone_are_for_the_rows_that_have_it(
    data: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A baseline beside them, and the default backbone, know nothing of them."""

    class Settings(BackboneSpec):
        decay: float = 1.0

    monkeypatch.setitem(BACKBONES, "fading", type("Fading", (GRU4Rec,), {"Settings": Settings}))
    spec = experiment(
        settings={"model.backbone.decay": 0.5, "model.history_length": 7},
        axes={"model.backbone": ["fading"]},
        rows=[{"name": "popularity", "baseline": "popularity"}],
    )
    cells = cells_of(spec, rows_of(spec, data), data, {})
    assert all(cell.spec.model.backbone.own() == {"decay": 0.5} for cell in cells if cell.spec)
    assert {cell.length for cell in cells if cell.baseline} == {7}


@pytest.mark.parametrize("name", [*shipped(), *(f"{name}-small" for name in shipped())])
def test_every_shipped_experiment_has_rows_that_are_runs(name: str, data: PreparedData) -> None:
    spec = read_experiment(name)
    cells = cells_of(spec, rows_of(spec, data), data, {})
    assert len({cell.key for cell in cells}) == len(cells)


def test_the_small_table_1_is_one_seed_of_25_epochs_and_the_whole_has_five_and_the_trunks(
    data: PreparedData,
) -> None:
    small, whole = read_experiment("table1-small"), read_experiment("table1")
    models = {row.labels["model.name"] for row in rows_of(small, data) if row.baseline is None}
    assert models == {"static", "apg", "solid-apg", "duet", "solid-duet"}
    rows = rows_of(whole, data)
    assert len([row for row in rows if row.baseline is None]) == 4 * 7
    assert {
        cell.spec.train.epochs
        for cell in cells_of(small, rows_of(small, data), data, {})
        if cell.spec
    } == {25}
    assert {cell.seed for cell in cells_of(whole, rows, data, {})} == set(range(5))

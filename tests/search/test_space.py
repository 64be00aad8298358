"""The space: every point is a specification, and the next one is a function of what is known."""

from __future__ import annotations

from typing import Any

import pytest

from solidrec.backbone_spec import BackboneSpec
from solidrec.errors import UsageError
from solidrec.nn.backbones import GRU4Rec
from solidrec.registry import BACKBONES
from solidrec.search.read import space_of
from solidrec.search.space import Space, value_at, varied
from solidrec.spec import RunSpec

BASE = RunSpec(data="x")


def space(**keys: Any) -> Space:
    return space_of({key.replace("__", "."): value for key, value in keys.items()}, BASE)


def test_every_point_is_a_specification_and_whole_numbers_stay_whole() -> None:
    made = space(
        model__dim={"low": 16, "high": 64, "step": 16},
        model__dropout=[0, 0.5],
        train__learning_rate={"low": 1e-4, "high": 1},
        model__clip={"low": 0.1, "high": 0.4, "step": 0.1},
        semantics__modalities=[["text"], []],
        train__stride=[None, 2],
    )
    points = [made.next([], seed=0, number=number) for number in range(1, 40)]
    assert {point["model.dim"] for point in points} == {16, 32, 48, 64}
    assert {point["model.clip"] for point in points} == {0.1, 0.2, 0.3, 0.4}
    assert {tuple(point["semantics.modalities"]) for point in points} == {("text",), ()}
    assert {point["train.targets_per_pass"] for point in points} == {None, 2}
    for point in points:
        spec = varied(BASE, point)
        assert all(value_at(spec, key) == value for key, value in point.items())
        assert made.coded(point) is not None


def test_the_next_point_is_a_function_of_what_is_known() -> None:
    made = space(model__dropout={"low": 0.0, "high": 0.9})
    seen: list[Any] = [({"model.dropout": 0.1 * n}, 0.1 * n) for n in range(8)]
    first = made.next(seen, seed=3, number=8)
    assert first == made.next(seen, seed=3, number=8)
    others = [
        made.next(seen, seed=4, number=8),
        made.next(seen, seed=3, number=9),
        made.next(seen, seed=3, number=8, attempt=1),
        made.next(
            [*seen, ({"model.dropout": 0.85}, None)], seed=3, number=8
        ),  # one more in training
    ]
    assert all(other != first for other in others[:3])
    assert 0 <= others[3]["model.dropout"] <= 0.9


def test_a_start_outside_the_space_is_no_point_of_it() -> None:
    made = space(model__dim={"low": 64, "high": 128}, train__stride={"low": 1, "high": 4})
    assert made.coded({"model.dim": 32, "train.targets_per_pass": 2}) is None
    assert made.coded({"model.dim": 64, "train.targets_per_pass": None}) is None
    assert made.coded({"model.dim": 64, "train.targets_per_pass": 2}) == {
        "model.dim": 64,
        "train.targets_per_pass": 2,
    }
    stepped = space(
        model__dim={"low": 16, "high": 64, "step": 16},
        model__clip={"low": 0.1, "high": 0.4, "step": 0.1},
    )
    assert stepped.coded({"model.dim": 40, "model.clip": 0.1}) is None
    assert stepped.coded({"model.dim": 48, "model.clip": 0.3}) == {
        "model.dim": 48,
        "model.clip": 0.3,
    }
    made.next([({"model.dim": 32, "train.targets_per_pass": 2}, 0.9)], seed=0, number=1)


def test_the_size_of_a_space_and_its_points() -> None:
    made = space(
        model__clip={"low": 0.1, "high": 0.3, "step": 0.1},
        model__dim={"low": 8, "high": 9},
        model__backbone=["din", "din"],
    )
    assert made.size() == 3 * 2 * 1
    assert [*made.points()] == [
        {"model.backbone.name": "din", "model.clip": clip, "model.dim": dim}
        for clip in (0.1, 0.2, 0.3)
        for dim in (8, 9)
    ]
    assert space(model__clip={"low": 0.1, "high": 0.3}).size() == float("inf")


def test_false_and_zero_are_two_values() -> None:
    made = space(model__codebook__mlp=[True, False])
    assert {str(point["model.codebook.mlp"]) for point in made.points()} == {"True", "False"}


def test_another_backbone_takes_of_the_settings_those_that_it_has() -> None:
    """A point may vary the backbone and what only some of the backbones have."""
    made = space(model__backbone=["sasrec", "din"], model__blocks=[1, 2])
    found = {varied(BASE, point).digest() for point in made.points()}
    assert len(found) == 3  # din has no blocks
    deep = RunSpec.parse({"data": "x", "model": {"backbone": {"name": "ligr", "blocks": 3}}})
    assert varied(deep, {"model.backbone.name": "din"}).model.backbone.own() == {}
    assert varied(deep, {"model.backbone.name": "bsarec"}).model.backbone.own()["blocks"] == 3
    with pytest.raises(UsageError, match="no setting 'blok'"):
        space(model__backbone=["sasrec", "din"], model__backbone__blok=[1, 2])


def test_a_backbone_keeps_its_name_where_that_is_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Settings(BackboneSpec):
        name: str = "fading"

    fading = type("Fading", (GRU4Rec,), {"Settings": Settings})
    monkeypatch.setitem(BACKBONES, "fading", fading)
    base = RunSpec.parse({"data": "x", "model": {"backbone": "fading"}})
    assert varied(base, {"model.dim": 8}).model.backbone.name == "fading"

"""The space: each key and value is one of a specification's, checked before anything trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solidrec.errors import UsageError
from solidrec.experiments.search_space import Space, space_of, value_at, varied
from solidrec.spec import RunSpec

BASE = RunSpec(data="x")


def space(**keys: Any) -> Space:
    return space_of({key.replace("__", "."): value for key, value in keys.items()}, BASE)


@pytest.mark.parametrize(
    ("key", "given", "text"),
    [
        ("model.dropuot", [0.1], "unknown setting 'model.dropuot'; did you mean 'model.dropout'?"),
        ("modle.dropout", [0.1], "unknown setting 'modle'; did you mean 'model'?"),
        ("model.backbone", ["sasrecc"], "unknown name 'sasrecc'; did you mean 'sasrec'?"),
        ("model.dropout", [0.1, 1.5], "setting model.dropout: input should be less than 1"),
        ("model.dropout", {"low": 0.1, "high": 1}, "setting model.dropout: input should be less than 1"),
        ("model.dim", {"low": 8.5, "high": 64}, "setting model.dim: "),
        ("model.dim", {"low": 64, "high": 8}, "model.dim: low = 64 is not below high = 8"),
        ("model.dim", {"low": 8}, "model.dim: a range needs both low and high"),
        ("model.dim", {"low": 8, "hgih": 64}, "model.dim: a range has no 'hgih'; did you mean 'high'?"),
        ("model.dim", {"low": 8, "high": 64, "step": 0}, "model.dim: step = 0 is no whole number above 0"),
        ("model.dim", {"low": 8, "high": 64, "step": 0.5}, "model.dim: step = 0.5 is no whole number above 0"),
        (
            "model.dim",
            {"low": 8, "high": 64, "step": 10},
            "model.dim: from low = 8 to high = 64 is no whole number of steps of 10",
        ),
        ("model.dim", {"low": 8, "high": 64, "step": 8, "log": True}, "model.dim: log = true needs low above 0 and no step"),
        ("model.clip", {"low": 0, "high": 1, "log": True}, "model.clip: log = true needs low above 0"),
        ("model.clip", {"low": 0, "high": 1, "step": float("nan")}, "is no whole number of steps"),
        ("model.backbone", {"low": "din", "high": "sasrec"}, "model.backbone: is no number; give a list of values"),
        ("model.dropout", 0.1, "model.dropout: give a list of values, or a range"),
        ("model.dropout", [], "model.dropout: give a list of values"),
        ("seed", [0, 1], "a search cannot vary seed: it is the seed of every training"),
        ("semantics.encoded.text", ["a"], "a search cannot vary semantics.encoded.text"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_the_key(key: str, given: Any, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        space_of({key: given}, BASE)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_to_vary_is_refused() -> None:
    with pytest.raises(UsageError, match=r"varies nothing; give --space FILE.toml or --try"):
        space_of({}, BASE)


def test_every_point_is_a_specification_and_whole_numbers_stay_whole() -> None:
    made = space(
        model__dim={"low": 16, "high": 64, "step": 16}, model__dropout=[0, 0.5], train__learning_rate={"low": 1e-4, "high": 1},
        model__clip={"low": 0.1, "high": 0.4, "step": 0.1}, semantics__modalities=[["text"], []], train__stride=[None, 2],
    )  # fmt: skip
    points = [made.next([], seed=0, number=number) for number in range(1, 40)]
    assert {point["model.dim"] for point in points} == {16, 32, 48, 64}
    assert {point["model.clip"] for point in points} == {0.1, 0.2, 0.3, 0.4}
    assert {tuple(point["semantics.modalities"]) for point in points} == {("text",), ()}
    assert {point["train.stride"] for point in points} == {None, 2}
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
        made.next(seen, seed=4, number=8), made.next(seen, seed=3, number=9), made.next(seen, seed=3, number=8, attempt=1),
        made.next([*seen, ({"model.dropout": 0.85}, None)], seed=3, number=8),  # one more in training
    ]  # fmt: skip
    assert all(other != first for other in others[:3])
    assert 0 <= others[3]["model.dropout"] <= 0.9


def test_a_start_outside_the_space_is_no_point_of_it() -> None:
    made = space(model__dim={"low": 64, "high": 128}, train__stride={"low": 1, "high": 4})
    assert made.coded({"model.dim": 32, "train.stride": 2}) is None
    assert made.coded({"model.dim": 64, "train.stride": None}) is None
    assert made.coded({"model.dim": 64, "train.stride": 2}) == {"model.dim": 64, "train.stride": 2}
    stepped = space(model__dim={"low": 16, "high": 64, "step": 16}, model__clip={"low": 0.1, "high": 0.4, "step": 0.1})
    assert stepped.coded({"model.dim": 40, "model.clip": 0.1}) is None
    assert stepped.coded({"model.dim": 48, "model.clip": 0.3}) == {"model.dim": 48, "model.clip": 0.3}
    made.next([({"model.dim": 32, "train.stride": 2}, 0.9)], seed=0, number=1)


def test_the_size_of_a_space_and_its_points() -> None:
    made = space(
        model__clip={"low": 0.1, "high": 0.3, "step": 0.1}, model__dim={"low": 8, "high": 9}, model__backbone=["din", "din"]
    )
    assert made.size() == 3 * 2 * 1
    assert [*made.points()] == [
        {"model.backbone": "din", "model.clip": clip, "model.dim": dim} for clip in (0.1, 0.2, 0.3) for dim in (8, 9)
    ]
    assert space(model__clip={"low": 0.1, "high": 0.3}).size() == float("inf")


def test_false_and_zero_are_two_values(tmp_path: Path) -> None:
    made = space(model__codebook__mlp=[True, False])
    assert {str(point["model.codebook.mlp"]) for point in made.points()} == {"True", "False"}

"""Who is compared with whom, over which users and seeds, and what may not be compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solidrec.designs import DESIGNS
from solidrec.errors import UsageError
from solidrec.experiments.tables.comparisons import REFERENCES, Comparison, comparisons
from solidrec.experiments.tables.contrasts import compare_rows, contrasts
from solidrec.experiments.tables.measured import Measured

USERS = 40
METRICS = ("UAUC", "NDCG@10")


def row(
    name: str,
    *,
    seeds: tuple[int, ...] = (0, 1, 2),
    gain: float = 0.0,
    noise: float = 0.05,
    backbone: str = "",
    model: str = "",
) -> Measured:
    rng = np.random.default_rng([len(name), *name.encode()])
    taste = np.random.default_rng(0).random(USERS)  # shared by all
    per_user = {
        metric: gain + taste + noise * rng.normal(size=(len(seeds), USERS)) for metric in METRICS
    }
    means = tuple(
        {metric: float(per_user[metric][seed].mean()) for metric in METRICS}
        for seed in range(len(seeds))
    )
    axes = {"model.backbone.name": backbone, "model.name": model} if model else {}
    return Measured(name, axes, seeds, "paper", "d", np.arange(USERS), means, per_user)


def grid(*models: str, backbones: tuple[str, ...] = ("din", "sasrec")) -> list[Measured]:
    return [
        row(f"{backbone} · {model}", backbone=backbone, model=model)
        for backbone in backbones
        for model in models
    ]


def names(family: list[Comparison], metric: str = "UAUC") -> list[tuple[str, str]]:
    return [(each.one, each.other) for each in family if each.metric == metric]


def test_the_references_are_models():
    assert {*REFERENCES, *(name for of in REFERENCES.values() for name in of)} <= set(DESIGNS)


def test_solid_is_compared_with_what_it_is_built_from_on_each_backbone_and_on_their_mean():
    family = comparisons(
        [row("popularity"), *grid("static", "apg", "solid-apg", "duet", "solid-duet", "spg")]
    )
    bases = {"solid-apg": ("apg", "static"), "solid-duet": ("duet", "static", "spg")}
    one_by_one = [
        (f"{backbone} · {solid}", f"{backbone} · {other}")
        for backbone in ("din", "sasrec")
        for solid, others in bases.items()
        for other in others
    ]
    means = [
        (f"mean of 2 backbones · {solid}", f"mean of 2 backbones · {other}")
        for solid, others in bases.items()
        for other in others
    ]
    assert names(family) == names(family, "NDCG@10") == one_by_one + means


def test_other_labels_must_agree():
    rows = [
        replace(each, name=f"{each.name} · {clip}", labels={**each.labels, "model.clip": clip})
        for clip in ("0.1", "1")
        for each in grid("duet", "solid-duet")
    ]
    family = comparisons(rows)
    assert len(names(family)) == 4 + 2
    assert all(
        one.labels["model.clip"] == other.labels["model.clip"]
        for each in family
        for one, other in each.pairs
    )
    assert len({each.one for each in family}) == 6


def test_one_backbone_has_no_mean_over_backbones():
    assert names(comparisons(grid("duet", "solid-duet", backbones=("din",)))) == [
        ("din · solid-duet", "din · duet")
    ]


def test_rows_without_solid_are_compared_with_the_first_or_a_named_one():
    rows = [row("random"), row("id"), row("text")]
    assert names(comparisons(rows)) == [("id", "random"), ("text", "random")]
    assert names(comparisons(rows, reference="text")) == [("random", "text"), ("id", "text")]
    assert len(names(comparisons(grid("duet", "solid-duet"), reference="din · duet"))) == 3
    with pytest.raises(UsageError, match="reference texts: is no row; did you mean 'text'"):
        comparisons(rows, reference="texts")


def test_no_rows_are_no_family():
    assert comparisons([]) == contrasts([]) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"protocol": "full"}, "x of the first has protocol paper, x of the second full"),
        ({"data": "e"}, "x of the first was measured on data d, x of the second on e"),
        (
            {"users": np.arange(USERS) + 1},
            "x of the first was measured on 40 users, x of the second on 40 others",
        ),
    ],
)
def test_what_does_not_compare_is_refused_in_one_line(changes, text):
    with pytest.raises(UsageError, match=text) as error:
        compare_rows([row("x")], [replace(row("x"), **changes)])
    assert "\n" not in str(error.value)


def test_a_family_stands_on_one_protocol_data_and_users():
    for changes in ({"protocol": "full"}, {"data": "e"}, {"users": np.arange(USERS) + 1}):
        with pytest.raises(UsageError, match=r"^x .* y "):
            comparisons([row("x"), replace(row("y"), **changes)])


def test_every_row_has_a_name_of_its_own():
    for call in (
        comparisons,
        lambda rows: compare_rows(rows, [row("x")]),
        lambda rows: compare_rows([row("x")], rows),
    ):
        with pytest.raises(UsageError, match="x: several rows have this name"):
            call([row("x"), row("y"), row("x")])


def test_results_without_a_common_row_are_refused():
    with pytest.raises(UsageError, match="x, y against none"):
        compare_rows([row("x"), row("y")], [])


def test_metrics_that_cannot_be_tested_are_refused():
    with pytest.raises(UsageError, match="better when smaller"):
        comparisons([row("a"), row("b")], metrics=["LogLoss"])
    with pytest.raises(UsageError, match="AUC has no value of each user"):
        contrasts(comparisons([row("a"), row("b")], metrics=["AUC"]))

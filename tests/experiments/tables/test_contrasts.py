"""Who is compared with whom, over which users and seeds, and what may not be compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solidrec.designs import DESIGNS
from solidrec.errors import UsageError
from solidrec.evaluate.intervals import holm
from solidrec.evaluate.significance import MODELS_ONLY, crossed
from solidrec.experiments.tables.contrasts import (
    REFERENCES,
    Comparison,
    _estimate,
    compare_rows,
    comparisons,
    contrasts,
)
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
    axes = {"model.backbone": backbone, "model.name": model} if model else {}
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


def test_seeds_pair_up_by_their_number():
    one, other = row("a", seeds=(1, 2, 3)), row("b", seeds=(3, 1, 7))
    found = contrasts(comparisons([other, one], metrics=["UAUC"]))[0]
    a, b = one.per_user["UAUC"], other.per_user["UAUC"]
    assert found.found == crossed(np.stack([a[0] - b[1], a[2] - b[0]]))
    assert found.note == "2 common seeds of 3"


def test_beside_a_baseline_the_seeds_of_the_other_count():
    base = replace(row("base", seeds=(0,)), deterministic=True)
    one = row("a", seeds=(4, 5, 6))
    expected = crossed(one.per_user["UAUC"] - base.per_user["UAUC"])
    assert _estimate(comparisons([base, one])[0]) == expected
    assert contrasts(comparisons([base, one]))[0].note == ""


def test_two_baselines_vary_over_users_alone():
    rows = [replace(row(name, seeds=(0,)), deterministic=True) for name in ("a", "b")]
    found = contrasts(comparisons(rows))[0]
    assert found.found == crossed(
        rows[1].per_user["UAUC"] - rows[0].per_user["UAUC"], trained=False
    )
    assert (found.p is not None, found.note) == (True, "")


def test_one_common_seed_earns_nothing_however_large_the_difference():
    found = contrasts(comparisons([row("a", seeds=(0,)), row("b", seeds=(0, 1), gain=0.5)]))[0]
    assert (found.p, found.star, found.note) == (None, False, MODELS_ONLY)
    assert found.found.low > 0.4


def test_no_common_seed_is_said_and_not_compared():
    found = contrasts(comparisons([row("a", seeds=(0,)), row("b", seeds=(1,))]))[0]
    assert (found.found, found.p, found.star) == (None, None, False)
    assert "no common seed" in found.note


def test_the_mean_over_backbones_averages_users_first():
    rows = grid("duet", "solid-duet")
    mean = next(each for each in comparisons(rows) if each.one.startswith("mean"))
    of = {each.name: each.per_user["UAUC"] for each in rows}
    gaps = [
        of[f"{backbone} · solid-duet"] - of[f"{backbone} · duet"] for backbone in ("din", "sasrec")
    ]
    assert _estimate(mean) == crossed((gaps[0] + gaps[1]) / 2)


def test_p_is_corrected_over_the_whole_table_and_stars_are_gains():
    rows = [row("base"), row("better", gain=0.5), row("worse", gain=-0.5), row("same")]
    found = contrasts(comparisons(rows))
    assert len(found) == 6
    assert [each.p for each in found] == holm([_estimate(each.comparison).p for each in found])
    assert {each.comparison.one for each in found if each.star} == {"better"}


def test_two_results_are_compared_row_by_row():
    a, b = [row("x"), row("y"), row("gone")], [row("y", gain=0.5), row("new"), row("x")]
    found = compare_rows(a, b, metrics=["UAUC"])
    assert (found.only_a, found.only_b) == (("gone",), ("new",))
    x, y = found.contrasts
    assert (x.found.mean, x.p, x.star) == (0, 1, False)
    assert (round(y.found.mean, 9), y.star) == (0.5, True)


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

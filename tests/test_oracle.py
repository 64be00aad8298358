"""Known answers: every model learns a walk between groups, and none finds anything in noise."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.api import Model, train
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.evaluate.baselines import popularity
from solidrec.evaluate.runner import evaluate
from solidrec.spec import BACKBONE_NAMES, MODEL_NAMES

Walk = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]
USERS, ITEMS, GROUPS, NOISE = 250, 64, 8, 0.1
LENGTH = 10  # events a user

# Every model family once, every backbone at least twice.
SOME = (
    ("static", "gru4rec"),
    ("static", "din"),
    ("static", "sasrec"),
    ("static", "bert4rec"),
    ("duet", "sasrec"),
    ("apg", "gru4rec"),
    ("spg", "din"),
    ("sml", "gru4rec"),
    ("duet-codebook", "sasrec"),
    ("solid-duet", "bert4rec"),
    ("solid-apg", "din"),
    ("author-code", "sasrec"),
)
GRID = [(model, backbone) for model in MODEL_NAMES for backbone in BACKBONE_NAMES]


def ideal() -> float:
    """Return the UAUC of one who knows the rule: the next group ranks first, the others tie."""
    next_group = 1 - NOISE + NOISE / GROUPS
    inside = (
        1 - 1 / GROUPS / 2
    )  # the target ties with the negatives of its own group, an eighth of all
    outside = (1 - 1 / GROUPS) / 2
    return next_group * inside + (1 - next_group) * outside


def make(walk: Walk, out: Path, noise: float) -> PreparedData:
    log, items = walk(users=USERS, items=ITEMS, groups=GROUPS, length=LENGTH, noise=noise, seed=1)
    return prepare(log, items=items, out=out)


@pytest.fixture(scope="module")
def rule(walk: Walk, tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    """A walk whose rule can be learned."""
    return make(walk, tmp_path_factory.mktemp("rule") / "data", NOISE)


@pytest.fixture(scope="module")
def noise(walk: Walk, tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    """A walk without a rule."""
    return make(walk, tmp_path_factory.mktemp("noise") / "data", 1.0)


def fit(data: PreparedData, model: str, backbone: str, out: Path, *, epochs: int) -> Model:
    """Train on the last three items: as a set they determine the next group, as DIN needs."""
    rate = (
        0.003 if backbone == "bert4rec" else 0.01
    )  # its norms behind every block want smaller steps
    settings = {
        "model": {"dim": 16, "dropout": 0.1, "history_length": 3},
        "train": {"batch_size": 128, "learning_rate": rate, "min_steps": 10**6},
    }
    return train(
        data,
        model=model,
        backbone=backbone,
        epochs=epochs,
        out=out,
        settings=settings,
        progress=False,
    )


def epochs_of(model: str, backbone: str) -> int:
    """Return the epochs a model needs: without semantic ids it has to find the groups first."""
    if model in ("spg", "sml", "solid-duet", "author-code"):
        return 6
    if model in ("spg-apg", "sml-apg", "solid-apg", "author-code-apg"):
        return 15  # through a core of few numbers
    return 50 if backbone == "bert4rec" else 25


def learns(data: PreparedData, model: str, backbone: str, out: Path) -> None:
    """Check that a model gets most of the way from chance to the ideal, far above popularity."""
    floor = evaluate(lambda h, c: popularity(data.train_counts, c), data).metrics["UAUC"] or 0
    found = (
        fit(data, model, backbone, out, epochs=epochs_of(model, backbone))
        .evaluate()
        .metrics["UAUC"]
        or 0
    )
    assert floor < 0.55
    assert found > floor + 0.2
    assert found > 0.5 + 0.6 * (ideal() - 0.5)
    assert found < ideal() + 0.05  # more than that is knowing what cannot be known


def finds_nothing(data: PreparedData, model: str, backbone: str, out: Path) -> None:
    """Check that a model is within four standard errors of chance."""
    values = fit(data, model, backbone, out, epochs=4).evaluate().per_user["UAUC"]
    assert abs(values.mean() - 0.5) < 4 * values.std(ddof=1) / sqrt(len(values))


def test_the_ideal_is_what_an_oracle_scores(rule: PreparedData) -> None:
    group = np.concatenate(
        [[-1], [(int(item[1:]) // (ITEMS // GROUPS)) for item in rule.items.ids]]
    )

    def oracle(histories: Any, candidates: Any) -> Any:
        last = histories[np.arange(len(histories)), (histories > 0).sum(1) - 1]
        return (group[candidates] == (group[last][:, None] + 1) % GROUPS).astype(np.float32)

    values = evaluate(oracle, rule).per_user["UAUC"]
    assert abs(values.mean() - ideal()) < 4 * values.std(ddof=1) / sqrt(len(values))


@pytest.mark.parametrize(("model", "backbone"), SOME)
def test_a_rule_is_learned(rule: PreparedData, model: str, backbone: str, tmp_path: Path) -> None:
    learns(rule, model, backbone, tmp_path / "run")


@pytest.mark.parametrize(("model", "backbone"), SOME)
def test_nothing_is_found_in_noise(
    noise: PreparedData, model: str, backbone: str, tmp_path: Path
) -> None:
    finds_nothing(noise, model, backbone, tmp_path / "run")


@pytest.mark.long
@pytest.mark.parametrize(("model", "backbone"), GRID)
def test_a_rule_is_learned_by_every_model_on_every_backbone(
    rule: PreparedData, model: str, backbone: str, tmp_path: Path
) -> None:
    learns(rule, model, backbone, tmp_path / "run")


@pytest.mark.long
@pytest.mark.parametrize(("model", "backbone"), GRID)
def test_nothing_is_found_in_noise_by_any_model_on_any_backbone(
    noise: PreparedData, model: str, backbone: str, tmp_path: Path
) -> None:
    finds_nothing(noise, model, backbone, tmp_path / "run")


@pytest.fixture(scope="module")
def scientific(
    shared_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> PreparedData:
    folder = shared_data("scientific_mm")
    features = {"text": folder / "text_clip_vitb32.npy", "image": folder / "image_clip_vitb32.npy"}
    out = tmp_path_factory.mktemp("scientific") / "data"
    return prepare(
        folder / "interactions.parquet", items=folder / "items.parquet", features=features, out=out
    )


@pytest.mark.parametrize("model", ["static", "solid-duet"])
def test_two_epochs_on_real_data(scientific: PreparedData, model: str, tmp_path: Path) -> None:
    """Two epochs are no result; they show that every part works together on a real log."""
    trained = train(scientific, model=model, epochs=2, out=tmp_path / "run", progress=False)
    test = trained.run.metrics["test"]
    assert (test["users"], test["negatives"]) == (2_928, 99)
    assert 0.45 < test["metrics"]["UAUC"] < 0.8
    if model == "solid-duet":
        semantics = trained.run.semantics
        assert semantics is not None
        assert semantics.modalities == ("image", "text")
        assert semantics.count == round(6 * sqrt(1_585))
        assert trained.run.history[-1]["codes_used"] > 10
    history = trained.run.items.ids[:3]
    answer = trained.recommend(history, k=5)
    assert len(answer.items) == 5
    assert all(item["title"] for item in answer.items)

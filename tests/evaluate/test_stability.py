"""Stability against a loop over users, and of two known models: static and one without input."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import final

import numpy as np
import pytest
import torch
from torch import nn

from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.evaluate import stability as module
from solidrec.evaluate.perturb import PERTURBATIONS, rbo, uniforms
from solidrec.evaluate.stability import _DRAWS, Stability, stability
from solidrec.inference.scorer import own_weights
from solidrec.nn.backbones import Backbone
from solidrec.nn.build import build
from solidrec.nn.heads import FullHead
from solidrec.nn.recommender import Recommender
from solidrec.nn.sources import Shared
from solidrec.spec import BACKBONE_NAMES, MODEL_NAMES, ModelSpec

LENGTH, DIM = 5, 8
Make = Callable[..., Recommender]


@pytest.fixture(scope="module")
def make(data: PreparedData) -> Make:
    """Build an untrained model by name, its embeddings large enough for scores that differ."""

    def built(name: str, backbone: str = "sasrec") -> Recommender:
        torch.manual_seed(0)
        spec = ModelSpec.parse(
            {"name": name, "backbone": backbone, "dim": DIM, "history_length": LENGTH, "core": 4}
        )
        model = build(spec, items=len(data.items), semantic_of_item=torch.arange(41) // 6)
        model.items.weight.data.mul_(10)
        return model

    return built


@final
class Deaf(Backbone):
    """A user state that no history changes."""

    def __init__(self) -> None:
        super().__init__(DIM, length=LENGTH, dropout=0.0)
        self.state = nn.Parameter(torch.ones(1, 1, DIM))

    def forward(
        self, items: torch.Tensor, mask: torch.Tensor, candidates: torch.Tensor
    ) -> torch.Tensor:
        return self.state.expand(len(items), 1, DIM)


def deaf(data: PreparedData) -> Recommender:
    torch.manual_seed(0)
    head = FullHead(DIM)
    return Recommender(
        nn.Embedding(len(data.items) + 1, DIM),
        backbone=Deaf(),
        head=head,
        source=Shared(head.slots),
    )


def auc_and_ndcg(scores: np.ndarray) -> tuple[float, float]:
    above = sum(score > scores[0] for score in scores[1:].tolist())
    return 1 - above / (len(scores) - 1), 1 / np.log2(above + 2) if above < 10 else 0.0


def naive(model: Recommender, data: PreparedData, row: int, seed: int) -> dict[str, float]:
    """What one test row should have, one history at a time, by the model's own forward."""
    model.eval()
    rows, items = data.rows("test"), len(data.items)
    user = rows.users[row : row + 1]
    history = data.histories(user, rows.positions[row : row + 1], LENGTH)
    draws = uniforms(user, len(PERTURBATIONS) + _DRAWS, seed=seed)[0]

    def scores(history: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return np.asarray(
                model(torch.from_numpy(history).long(), torch.from_numpy(candidates).long()).logits
            )

    def metrics(history: np.ndarray) -> tuple[float, float]:
        return auc_and_ndcg(scores(history, rows.candidates(row, row + 1))[0])

    def ten(history: np.ndarray) -> np.ndarray:
        return np.argsort(-scores(history, np.arange(1, items + 1)[None]))[:, :10]

    def generated(history: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            tensors = model.generate(torch.from_numpy(history).long()).weights.tensors
        return np.concatenate([tensor.numpy().ravel() for tensor in tensors.values()])

    grown = [
        metrics(PERTURBATIONS["add"][0](history, draws[i : i + 1], items))
        for i in range(4, 4 + _DRAWS)
    ]
    found = {
        "UAUC": np.var([each[0] for each in grown]),
        "NDCG@10": np.var([each[1] for each in grown]),
    }
    for place, (kind, (perturb, _)) in enumerate(PERTURBATIONS.items()):
        other, before = perturb(history, draws[place : place + 1], items), generated(history)
        found |= {
            f"{kind} overlap": rbo(ten(history), ten(other))[0],
            f"{kind} change": abs(metrics(history)[0] - metrics(other)[0]),
            f"{kind} distance": np.linalg.norm(generated(other) - before) / np.linalg.norm(before),
        }
    return found


def plain(found: Stability, row: int) -> dict[str, float]:
    by_kind = {"overlap": found.overlap, "change": found.change, "distance": found.distance or {}}
    named = {
        f"{kind} {name}": float(of[row])
        for name, kinds in by_kind.items()
        for kind, of in kinds.items()
    }
    return {metric: float(of[row]) for metric, of in found.variance.items()} | named


@pytest.mark.parametrize(
    ("name", "backbone"), [("solid-duet", "sasrec"), ("apg", "din"), ("spg", "gru4rec")]
)
def test_it_is_what_a_loop_over_users_finds(
    data: PreparedData, make: Make, name: str, backbone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CELLS", 300)
    monkeypatch.setattr(module, "_ROWS", 7)
    model = make(name, backbone)
    found = stability(model, data, length=LENGTH, seed=3)
    tested = data.rows("test").users.tolist()  # one row a user here
    assert sorted(found.users.tolist()) == tested
    for row in (0, 89):
        assert plain(found, row) == pytest.approx(
            naive(model, data, tested.index(found.users[row]), 3), abs=1e-5
        )


@pytest.mark.parametrize("backbone", BACKBONE_NAMES)
def test_a_static_model_has_no_weights_that_move(
    data: PreparedData, make: Make, backbone: str
) -> None:
    found = stability(make("static", backbone), data, length=LENGTH, users=20)
    assert found.distance is None
    assert all(entry["weights"] is None for entry in found.summary()["perturbations"].values())
    assert found.summary()["perturbations"]["add"]["RBO@10"] < 1


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_all_others_have(data: PreparedData, make: Make, name: str) -> None:
    assert own_weights(make(name)) == (name not in ("static", "static-codebook", "plain"))


def test_a_model_that_ignores_its_history_is_perfectly_stable(data: PreparedData) -> None:
    found = stability(deaf(data), data, length=LENGTH)
    for kind in PERTURBATIONS:
        np.testing.assert_allclose(found.overlap[kind], 1)
        assert found.change[kind].tolist() == [0] * 90
    assert all(not values.any() for values in found.variance.values())


def test_variances_are_within_what_numbers_from_0_to_1_allow(
    data: PreparedData, make: Make
) -> None:
    found = stability(make("duet"), data, length=LENGTH)
    for values in found.variance.values():
        assert 0 < values.max() <= 0.25
    summary = found.summary()["variance"]["UAUC"]
    assert summary["mean"] == pytest.approx(found.variance["UAUC"].mean())
    assert summary["min"] <= summary["median"] <= summary["max"]


def test_the_same_rows_and_perturbations_for_every_model_and_sample(
    data: PreparedData, make: Make
) -> None:
    model = make("duet")
    whole, some, again = (
        stability(model, data, length=LENGTH, users=users, seed=1) for users in (90, 25, 25)
    )
    assert len(some.users) == 25
    assert some.users.tolist() == whole.users[:25].tolist()
    assert (
        stability(make("static"), data, length=LENGTH, users=25, seed=1).users.tolist()
        == some.users.tolist()
    )
    assert (
        stability(model, data, length=LENGTH, users=25, seed=2).users.tolist()
        != some.users.tolist()
    )
    for kind in PERTURBATIONS:
        np.testing.assert_allclose(some.change[kind], whole.change[kind][:25], atol=1e-12)
        assert some.overlap[kind].tolist() == again.overlap[kind].tolist()


def short(data: PreparedData) -> PreparedData:
    """The same data where test users 1, 2 and 3 have 0, 1 and 2 events before their target."""
    offsets, rows = np.array(data.offsets), data.rows("test")
    for user, kept in ((1, 0), (2, 1), (3, 2)):
        offsets[user] = rows.positions[user - 1] - kept
    return replace(data, offsets=offsets)


@pytest.mark.parametrize("name", ["static", "solid-duet"])
def test_a_history_too_short_takes_no_part(data: PreparedData, make: Make, name: str) -> None:
    found = stability(make(name), short(data), length=LENGTH)
    three = [found.users.tolist().index(user) for user in (1, 2, 3)]
    tables = [found.overlap, found.change] + (
        [found.distance] if found.distance is not None else []
    )
    for table in tables:
        skipped = {kind: np.isnan(values[three]).tolist() for kind, values in table.items()}
        assert skipped == {
            "swap": [True, True, False],
            "drop": [True, False, False],
            "duplicate": [True, False, False],
            "add": [False, False, False],
        }
        assert all(np.isfinite(np.delete(values, three)).all() for values in table.values())
    assert all(np.isfinite(values).all() for values in found.variance.values())
    counted = {kind: entry["users"] for kind, entry in found.summary()["perturbations"].items()}
    assert counted == {"swap": 88, "drop": 89, "duplicate": 89, "add": 90}


def test_a_model_that_reads_each_candidate_ranks_catalogues_for_fewer(
    data: PreparedData, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make("duet", "din")
    whole = stability(model, data, length=LENGTH)
    monkeypatch.setattr(module, "_ATTENDED", 9)
    some = stability(model, data, length=LENGTH)
    for kind in PERTURBATIONS:
        assert some.overlap[kind][:9].tolist() == whole.overlap[kind][:9].tolist()
        assert np.isnan(some.overlap[kind][9:]).all()
        assert some.change[kind].tolist() == whole.change[kind].tolist()
        entry = some.summary()["perturbations"][kind]
        assert (entry["users"], entry["ranked"]) == (90, 9)


def test_the_summary_is_plain_and_the_model_stays_in_its_mode(
    data: PreparedData, make: Make
) -> None:
    model = make("solid-duet").train()
    summary = stability(model, data, length=LENGTH, users=10).summary()
    assert model.training
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert (summary["users"], summary["seed"], summary["draws"]) == (10, 0, _DRAWS)


def test_no_users_at_all_are_refused(data: PreparedData, make: Make) -> None:
    with pytest.raises(UsageError, match="stability of 0 of 90 test rows"):
        stability(make("static"), data, length=LENGTH, users=0)

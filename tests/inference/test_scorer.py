from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from solidrec.data.prepared import PreparedData
from solidrec.evaluate.runner import evaluate
from solidrec.inference import scorer
from solidrec.inference.scorer import ModelScorer, reader
from solidrec.nn.build import build
from solidrec.nn.recommender import Recommender
from solidrec.spec import BACKBONE_NAMES, ModelSpec

HISTORIES = np.array([[1, 2, 3], [4, 0, 0], [0, 0, 0], [40, 40, 7], [9, 8, 0]])
CANDIDATES = np.random.default_rng(0).integers(1, 41, size=(5, 6))


@pytest.fixture
def model_of() -> Callable[[str], Recommender]:
    def make(backbone: str) -> Recommender:
        torch.manual_seed(1)
        spec = ModelSpec.parse(
            {
                "name": "solid-duet",
                "backbone": backbone,
                "dim": 8,
                "history_length": 3,
                "dropout": 0.5,
            }
        )
        return build(
            spec,
            items=40,
            semantic_of_item=torch.cat([torch.zeros(1), torch.arange(40) // 5 + 1]).long(),
        ).eval()

    return make


def naive(model: Recommender) -> np.ndarray:
    """Score one history and one candidate at a time."""
    rows = [
        [
            model(torch.tensor(history)[None], torch.tensor([[int(item)]])).logits.item()
            for item in items
        ]
        for history, items in zip(HISTORIES, CANDIDATES, strict=True)
    ]
    return np.array(rows)


@pytest.mark.parametrize("backbone", BACKBONE_NAMES)
@pytest.mark.parametrize("room", [1, 5_000, 1 << 25])
def test_blocks_of_any_size_score_as_one_at_a_time(
    model_of: Callable[[str], Recommender],
    backbone: str,
    room: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = model_of(backbone)
    monkeypatch.setattr(scorer, "FLOATS_AT_ONCE", room)
    sizes: list[int] = []
    model.source.register_forward_hook(
        lambda module, inputs, output: sizes.append(len(inputs[0].ids))
    )
    found = ModelScorer(model)(HISTORIES, CANDIDATES)
    assert sum(sizes) == 5
    assert len(sizes) == {1: 5, 1 << 25: 1}.get(room, len(sizes))
    assert found == pytest.approx(naive(model), abs=1e-5)


@pytest.mark.parametrize("backbone", BACKBONE_NAMES)
def test_one_row_of_candidates_serves_all_histories(
    model_of: Callable[[str], Recommender], backbone: str
) -> None:
    score = ModelScorer(model_of(backbone))
    shared = np.arange(1, 41)[None]
    assert score(HISTORIES, shared) == pytest.approx(
        score(HISTORIES, np.repeat(shared, 5, axis=0)), abs=1e-5
    )


def test_a_backbone_that_reads_candidates_gets_smaller_blocks(
    model_of: Callable[[str], Recommender],
) -> None:
    rows = {name: ModelScorer(model_of(name)).rows_at_once(10, 10_000) for name in BACKBONE_NAMES}
    assert rows["din"] < rows["sasrec"] == rows["gru4rec"] == rows["bert4rec"]
    assert all(ModelScorer(model_of(name)).rows_at_once(10, 10**9) == 1 for name in BACKBONE_NAMES)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_scored_in_eval_mode_and_put_back(
    model_of: Callable[[str], Recommender], training: bool
) -> None:
    model = model_of("sasrec").train(training)
    score = ModelScorer(model)
    first, second = score(HISTORIES, CANDIDATES), score(HISTORIES, CANDIDATES)
    assert np.array_equal(first, second)  # no dropout
    assert {module.training for module in model.modules()} == {training}


def test_the_mode_is_put_back_after_an_error_too(model_of: Callable[[str], Recommender]) -> None:
    model = model_of("sasrec").train()
    with pytest.raises(IndexError):
        ModelScorer(model)(HISTORIES, CANDIDATES + 1000)
    assert model.training


@pytest.mark.parametrize("backbone", BACKBONE_NAMES)
def test_histories_read_once_answer_for_any_rows_and_candidates(
    model_of: Callable[[str], Recommender], backbone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = ModelScorer(model_of(backbone))
    read = reader(score, HISTORIES)
    whole = score(HISTORIES, CANDIDATES)
    monkeypatch.setattr(scorer, "_CACHED", 1)
    for rows in (slice(None), slice(1, 3), slice(4, 9), slice(2, 2)):
        assert read(rows, CANDIDATES[rows]) == pytest.approx(whole[rows], abs=1e-5)
        assert read(rows, np.arange(3, 9)[None]) == pytest.approx(
            score(HISTORIES, np.arange(3, 9)[None])[rows], abs=1e-5
        )
        assert read(rows, np.array([[9, 3, 4]])) == pytest.approx(
            score(HISTORIES, np.array([[9, 3, 4]]))[rows], abs=1e-5
        )
    monkeypatch.setattr(scorer, "FLOATS_AT_ONCE", 2_000)  # less than a row of DIN's
    assert read(slice(None), CANDIDATES) == pytest.approx(whole, abs=1e-5)


def test_a_reader_gives_arrays_of_ones_own() -> None:
    kept = np.zeros((2, 3))
    read = reader(lambda histories, candidates: kept, np.ones((2, 4)))
    read(slice(None), np.ones((2, 3)))[:] = 7
    assert (kept == 0).all()


def test_no_history_gives_no_rows(model_of: Callable[[str], Recommender]) -> None:
    assert ModelScorer(model_of("sasrec"))(
        np.zeros((0, 3), dtype=np.int64), CANDIDATES[:1]
    ).shape == (0, 6)


def test_nothing_that_is_scored_leaves_a_trace(model_of: Callable[[str], Recommender]) -> None:
    model = model_of("sasrec").train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.get_rng_state()
    ModelScorer(model)(HISTORIES, CANDIDATES)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("protocol", ["paper", "full"])
@pytest.mark.parametrize("backbone", ["din", "sasrec"])
def test_an_evaluation_does_not_depend_on_the_blocks(
    data: PreparedData,
    model_of: Callable[[str], Recommender],
    backbone: str,
    protocol: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = model_of(backbone)
    whole = evaluate(ModelScorer(model), data, protocol=protocol, length=3)
    monkeypatch.setattr(scorer, "FLOATS_AT_ONCE", 20_000)
    parts = evaluate(ModelScorer(model), data, protocol=protocol, length=3)
    assert parts.metrics == pytest.approx(
        whole.metrics, abs=1e-4
    )  # a last bit may order two candidates otherwise


@pytest.mark.parametrize("backbone", BACKBONE_NAMES)
def test_items_beyond_the_catalogue_are_refused_however_they_stand(
    model_of: Callable[[str], Recommender], backbone: str
) -> None:
    for ids in (np.arange(35, 46), np.array([1, 45])):
        with pytest.raises(IndexError):
            ModelScorer(model_of(backbone))(HISTORIES, ids[None])

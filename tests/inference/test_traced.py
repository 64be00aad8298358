"""Recordings compute what the model computes, for every history, whoever the neighbours are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from solidrec.api import Model, prepare, train
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.inference.scorer import ModelScorer
from solidrec.inference.traced import Traced, trace
from solidrec.runs import load_run

ITEMS = 40


@pytest.fixture(scope="module", params=["static", "solid-duet", "solid-apg", "mixture"])
def path(
    request: pytest.FixtureRequest,
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]],
    tiny: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("traced")
    log, items = walk()
    data = prepare(log, items=items, out=folder / "data")
    settings = {"model": {"dim": 8, "history_length": 20}, "train": {"epochs": 1}}
    model: Model = train(
        data, model=request.param, out=folder / "run", settings=settings, progress=False
    )
    return model.run.path


def histories(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found = rng.integers(1, ITEMS + 1, (count, 20))
    found[np.arange(20) >= rng.integers(0, 21, (count, 1))] = 0
    return found


def test_recordings_score_as_the_model_does(path: Path) -> None:
    plain, fast = scorer_of(load_run(path).model), scorer_of(load_run(path).model)
    assert trace(fast, length=20, items=ITEMS, most=8)
    assert isinstance(fast.compute, Traced)
    everything = np.arange(1, ITEMS + 1)[None]
    for count in (1, 2, 3, 8, 9, 20):  # the last two are too many
        asked = histories(count, count)
        np.testing.assert_allclose(
            fast(asked, everything), plain(asked, everything), rtol=1e-5, atol=1e-5
        )
    for length in range(21):
        one = histories(1)
        one[:, length:] = 0
        one[:, :length] = np.maximum(one[:, :length], 1)
        np.testing.assert_allclose(
            fast(one, everything), plain(one, everything), rtol=1e-5, atol=1e-5
        )


def test_an_answer_is_the_same_bit_by_bit_whoever_the_neighbours_are(path: Path) -> None:
    scorer = scorer_of(load_run(path).model)
    assert trace(scorer, length=20, items=ITEMS, most=8)
    own = torch.from_numpy(histories(1, 7))
    own[:, :18] = own[:, :18].clamp(min=1)  # of the longest shape, so that the size is the same
    with torch.inference_mode():
        first = scorer.compute(torch.cat([own, torch.from_numpy(histories(7, 1))]))[0]
        for seed in range(2, 6):
            others = torch.from_numpy(histories(7, seed))
            assert torch.equal(scorer.compute(torch.cat([own, others]))[0], first)


def test_a_model_whose_recordings_differ_stays_as_it_is(path: Path) -> None:
    model = load_run(path).model
    scorer = scorer_of(model)
    compute = scorer.compute
    scorer.compute = lambda history: (
        compute(history) * (2 if int(history[0, 0]) == 1 else 1)  # the branch that is recorded
    )
    before = scorer.compute
    assert not trace(scorer, length=20, items=ITEMS, most=2)
    assert scorer.compute is before


def test_a_backbone_that_reads_candidates_is_left_alone(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]], tmp_path: Path
) -> None:
    log, items = walk()
    data = prepare(log, items=items, out=tmp_path / "data")
    settings = {"model": {"dim": 8}, "train": {"epochs": 1}}
    din = train(
        data, model="duet", backbone="din", out=tmp_path / "run", settings=settings, progress=False
    )
    scorer = din.engine.score
    assert isinstance(scorer, ModelScorer)
    before = scorer.compute
    assert not trace(scorer, length=10, items=ITEMS, most=2)
    assert scorer.compute is before
    assert len(din.recommend(["i03"], 5).items) == 5

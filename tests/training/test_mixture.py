"""A mixture trains without validation and test targets, by experts that have not seen its rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from solidrec import add_items, load, prepare, train
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError, UsageError
from solidrec.evaluate.baselines import popularity
from solidrec.evaluate.runner import evaluate
from solidrec.experts.counted import count
from solidrec.experts.recency import recency
from solidrec.nn.mixture import Mixture
from solidrec.spec import TrainSpec
from solidrec.training.context import RunContext
from solidrec.training.folds import folds
from solidrec.training.neural import neural_expert

Walk = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]
SMALL = {
    "model": {"dim": 8, "history_length": 6, "dropout": 0.1},
    "train": {"batch_size": 128, "learning_rate": 0.01, "epochs": 3},
}


def state(run: Any) -> dict[str, torch.Tensor]:
    return dict(run.model.state_dict())


def assert_same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> None:
    assert one.keys() == two.keys()
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


def test_the_default_is_a_mixture_that_recommends_what_comes_next(
    copy: PreparedData, tmp_path: Path
) -> None:
    """In a log from group to group popularity says nothing; the run is read back as written."""
    model = train(copy, settings=SMALL, out=tmp_path / "run", progress=False)
    assert model.run.spec.model.name == "mixture"
    found = model.run.metrics["valid_full"]["metrics"]["NDCG@10"]
    floor = evaluate(
        lambda h, c: popularity(copy.train_counts, np.broadcast_to(c, (len(h), c.shape[1]))),
        copy,
        split="valid",
        protocol="full",
    ).metrics["NDCG@10"]
    assert found > 2 * floor
    again = load(tmp_path / "run")
    assert_same(state(model.run), state(again.run))
    history = list(copy.items.ids[:3])
    assert again.recommend(history).to_json() == model.recommend(history).to_json()
    assert again.evaluate(protocol="full").metrics == model.evaluate(protocol="full").metrics


def test_weights_know_nothing_of_validation_and_test(copy: PreparedData, tmp_path: Path) -> None:
    """With fixed epochs and passes, other items in users' last two places change no weight."""
    settings = {**SMALL, "train": SMALL["train"] | {"passes": 2, "epochs": 1}}
    runs = []
    for name, data in (("as-it-is", copy), ("other", with_other_targets(copy))):
        shutil.rmtree(copy.path / "experts", ignore_errors=True)
        runs.append(train_quietly(data, settings, tmp_path / name))
    assert_same(*runs)


def with_other_targets(data: PreparedData) -> PreparedData:
    items = np.array(data.event_items)
    for begin, end in zip(data.train_end, data.offsets[1:], strict=True):
        items[begin:end] = items[begin:end] % len(data.items) + 1
    negatives = {
        key: value
        for key, value in data.manifest["negatives"].items()
        if key not in ("valid", "test")
    }
    return replace(data, event_items=items, manifest={**data.manifest, "negatives": negatives})


def train_quietly(
    data: PreparedData, settings: dict[str, Any], out: Path
) -> dict[str, torch.Tensor]:
    from solidrec.defaults import run_spec
    from solidrec.training.mixture import _fit_mixture
    from solidrec.training.run import semantics_for

    hidden = replace(data, manifest={**data.manifest, "negatives": {"seed": 0, "stored": True}})
    spec = run_spec(hidden, model="mixture", backbone=None, seed=0, epochs=None, settings=settings)
    out.mkdir()
    run = RunContext(hidden, spec, out)
    return dict(_fit_mixture(run, semantics_for(run)).state_dict())


def test_mixtures_share_their_neural_expert(
    copy: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = train(
        copy, model="mixture-static", settings=SMALL, out=tmp_path / "one", progress=False
    ).run

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("solidrec.training.neural.fit", refuse)
    two = train(
        copy, model="mixture-lengths", settings=SMALL, out=tmp_path / "two", progress=False
    ).run
    assert isinstance(one.model, Mixture)
    assert isinstance(two.model, Mixture)
    assert_same(dict(one.model.experts.state_dict()), dict(two.model.experts.state_dict()))


def test_data_split_by_time_have_recency_besides(timed: PreparedData, tmp_path: Path) -> None:
    """Folds follow the split and are passed on; new items are as recent as the median item."""
    shutil.copytree(timed.path, tmp_path / "data")
    model = train(tmp_path / "data", settings=SMALL, out=tmp_path / "run", progress=False)
    assert model.run.spec.train.folds == "time"
    assert isinstance(model.run.model, Mixture)
    recent = model.run.model.experts.recent
    assert recent is not None
    assert recent.tolist() == pytest.approx(recency(timed).tolist())
    again = load(tmp_path / "run")
    assert_same(state(model.run), state(again.run))
    assert (
        again.recommend(list(timed.items.ids[:3])).to_json()
        == model.recommend(list(timed.items.ids[:3])).to_json()
    )
    add_items(
        tmp_path / "run",
        pl.DataFrame({"item": ["new"], "title": ["thing of kind 3"], "categories": [["kind 3"]]}),
    )
    grown = load(tmp_path / "run").run.model
    assert isinstance(grown, Mixture)
    assert grown.experts.recent is not None
    assert grown.experts.recent.tolist() == [*recent.tolist(), float(recent[1:].median())]
    other = train(
        tmp_path / "data",
        settings={**SMALL, "train": {**SMALL["train"], "folds": "users"}},
        out=tmp_path / "users",
        progress=False,
    )
    assert isinstance(other.run.model, Mixture)
    assert other.run.model.experts.recent is None


@pytest.mark.parametrize("kind", ["users", "time"])
def test_rows_are_judged_by_the_experts_of_their_fold(
    data: PreparedData,
    timed: PreparedData,
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counts and neural expert learn from the fold's data, the final experts from all events."""
    learning = timed if kind == "time" else data
    shutil.copytree(learning.path, tmp_path / "data")
    here = PreparedData.open(tmp_path / "data")
    counted, learned = [], []

    def counting(data: PreparedData, *args: Any, **kwargs: Any) -> Any:
        counted.append(data.train_end.tolist())
        return count(data, *args, **kwargs)

    def training(run: RunContext, *, part: str) -> Any:
        learned.append((part, run.data.train_end.tolist()))
        return neural_expert(run, part=part)

    monkeypatch.setattr("solidrec.training.mixture.count", counting)
    monkeypatch.setattr("solidrec.training.mixture.neural_expert", training)
    train(here, settings=SMALL, out=tmp_path / "run", progress=False)
    expected = list(folds(here, TrainSpec(folds=kind), 0))
    assert counted == [
        here.train_end.tolist(),
        *(fold.counted.train_end.tolist() for fold in expected),
    ]
    parts = {fold.part: fold.learned.train_end.tolist() for fold in expected}
    assert learned == [("whole", here.train_end.tolist()), *parts.items()]


def test_the_same_seed_gives_the_same_bytes(copy: PreparedData, tmp_path: Path) -> None:
    runs = []
    for name in ("one", "two"):
        shutil.rmtree(copy.path / "experts", ignore_errors=True)
        runs.append(train(copy, settings=SMALL, out=tmp_path / name, progress=False).run)
    assert_same(state(runs[0]), state(runs[1]))
    assert runs[0].history[-1]["stage"] == 2


def test_data_without_validation_need_a_run_to_learn_from(walk: Walk, tmp_path: Path) -> None:
    log, items = walk()
    all_of_it = prepare(log, items=items, split="none", out=tmp_path / "all")
    with pytest.raises(UsageError, match="--epochs-from RUN"):
        train(all_of_it, settings=SMALL, out=tmp_path / "run", progress=False)
    split = prepare(log, items=items, out=tmp_path / "split")
    chosen = train(split, settings=SMALL, out=tmp_path / "chosen", progress=False)
    with pytest.raises(UsageError, match="both say how long to train"):
        train(all_of_it, epochs_from=tmp_path / "chosen", epochs=3, progress=False)
    with pytest.raises(UsageError, match="is a run of 'mixture', not 'duet'; leave --model out"):
        train(all_of_it, epochs_from=tmp_path / "chosen", model="duet", progress=False)
    model = train(
        all_of_it, epochs_from=tmp_path / "chosen", out=tmp_path / "final", progress=False
    )
    best = {row["stage"]: row["epoch"] for row in chosen.run.history if row["best"]}
    assert (model.run.spec.train.epochs, model.run.spec.train.passes) == (best[1], best[2])
    assert model.run.spec.model == chosen.run.spec.model
    assert model.run.metrics == {}


def test_ids_alone_are_enough(walk: Walk, tmp_path: Path) -> None:
    """Without titles there is no similarity and no semantic id: the other experts answer."""
    data = prepare(walk()[0], out=tmp_path / "bare")
    model = train(data, settings=SMALL, out=tmp_path / "run", progress=False)
    assert model.run.spec.model.name == "mixture"
    assert model.run.semantics is None
    assert len(load(tmp_path / "run").recommend([data.items.ids[0]]).items) == 10


def test_one_user_is_too_few(tmp_path: Path) -> None:
    log = pl.DataFrame({"user": ["a"] * 6 + ["b"], "item": list("uvwxyzq"), "position": range(7)})
    data = prepare(log, out=tmp_path / "data", negatives=1)
    with pytest.raises(DataError, match="two users"):
        train(data, settings=SMALL, out=tmp_path / "run", progress=False)


def test_no_target_found_leaves_the_weights_as_they_start(
    copy: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solidrec.training.rows._BEST", 0)
    model = train(copy, settings=SMALL, out=tmp_path / "run", progress=False).run.model
    assert isinstance(model, Mixture)
    assert not model.head.trust.any()
    assert all(torch.isfinite(tensor).all() for tensor in model.state_dict().values())
    with torch.no_grad():
        assert torch.isfinite(
            model(torch.tensor([[1, 2, 0]]), torch.tensor([[1, 2, 3]])).logits
        ).all()

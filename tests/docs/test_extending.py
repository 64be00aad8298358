"""The examples of docs/extending.md do what the page says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from solidrec import encode, prepare
from solidrec.data.readers import READERS
from solidrec.nn.build import build
from solidrec.registry import BACKBONES, SOURCES
from solidrec.semantics.modalities.encoders import ENCODERS
from solidrec.spec import MODEL_NAMES, ModelSpec, RunSpec
from solidrec.training.context import RunContext
from solidrec.training.stages import fit


@pytest.fixture
def example(
    repository: Path, blocks: Callable[[Path, str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Return a function that runs the one block containing a word, with the given names."""
    found = blocks(repository / "docs" / "extending.md", "python")
    monkeypatch.setitem(SOURCES, "last-item", "solidrec_mine:last_item")  # as its package does

    def run(word: str, **names: Any) -> dict[str, Any]:
        (block,) = [block for block in found if word in block]
        exec(compile(block, "extending.md", "exec"), names)
        return names

    return run


@pytest.fixture
def mean_pool(example: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> ModelSpec:
    """A specification with the page's backbone, registered."""
    monkeypatch.setitem(BACKBONES, "mean", example("class MeanPool")["MeanPool"])
    return ModelSpec.parse({"dim": 8, "history_length": 4, "backbone": "mean"})


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_the_backbone_serves_every_model(name: str, mean_pool: ModelSpec) -> None:
    model = build(
        mean_pool.model_copy(update={"name": name}), items=9, semantic_of_item=torch.arange(10)
    ).eval()
    history, wider = (
        torch.tensor([[3, 4, 0, 0], [0, 0, 0, 0]]),
        torch.tensor([[3, 4, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]),
    )
    logits = model(history, torch.tensor([[1, 2, 5]])).logits
    assert logits.isfinite().all()
    torch.testing.assert_close(model(wider, torch.tensor([[1, 2, 5]])).logits, logits)


def test_the_backbone_trains(mean_pool: ModelSpec, shop: Path) -> None:
    data = prepare("clicks.csv", out="data")
    spec = RunSpec.parse({"data": data.fingerprint, "train": {"epochs": 1}})
    spec = spec.model_copy(update={"model": mean_pool.model_copy(update={"name": "static"})})
    model = fit(RunContext(data, spec), None).eval()
    mean = model.items.weight[[1, 2]].mean(0)
    torch.testing.assert_close(
        model.backbone(
            model.items(torch.tensor([[1, 2]])), torch.ones(1, 2).bool(), mean[None, None]
        )[0, 0],
        mean,
    )


def test_the_source_reads_the_last_item_alone(example: Callable[..., dict[str, Any]]) -> None:
    found = example("head = FullHead(8)", **example("class LastItem"))
    model = found["model"].eval()
    assert found["logits"].shape == (2, 3)
    one, other, third = (
        model.generate(torch.tensor([history])).weights.tensors["weight0"]
        for history in ([3, 4], [5, 4], [4, 3])
    )
    torch.testing.assert_close(one, other)
    assert not torch.allclose(one, third)


def test_the_metric_takes_ties_by_lot(example: Callable[..., dict[str, Any]]) -> None:
    np.testing.assert_allclose(example("found.greater")["first"], [1, 1 / 2, 0])


def test_the_scorer_is_measured(example: Callable[..., dict[str, Any]], shop: Path) -> None:
    data = prepare("clicks.csv", out="data")
    result = example("def smallest", data=data)["result"]
    # the smallest id is the best, so UAUC is the share of unseen items with a larger id
    rows = data.rows("test")
    expected = []
    for user, position, target in zip(rows.users, rows.positions, rows.targets, strict=True):
        others = (
            set(range(1, len(data.items) + 1))
            - set(data.event_items[data.offsets[user] : position].tolist())
            - {int(target)}
        )
        expected.append(np.mean([item > target for item in others]))
    assert result.metrics["UAUC"] == pytest.approx(np.mean(expected))


def test_the_baseline_scores_what_a_history_holds(
    example: Callable[..., dict[str, Any]], shop: Path
) -> None:
    score = example("def repeats")["repeats"](prepare("clicks.csv", out="data"))
    assert score(np.array([[3, 4, 3], [5, 0, 0]]), np.array([[3, 4, 5]])).tolist() == [
        [2, 1, 0],
        [0, 0, 1],
    ]


def test_the_reader_reads(
    example: Callable[..., dict[str, Any]], shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(READERS, ".arrow", example("def read_arrow")["read_arrow"])
    pl.read_csv("clicks.csv", infer_schema=False).write_ipc("clicks.arrow")
    assert (
        prepare("clicks.arrow", out="arrow").fingerprint
        == prepare("clicks.csv", out="csv").fingerprint
    )


def test_the_encoder_makes_a_feature_matrix(
    example: Callable[..., dict[str, Any]], shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENCODERS, "letters", example("class Letters")["Letters"])
    data = prepare("clicks.csv", items="items.csv", out="data")
    letters = encode(data, text="letters", progress=False).features["text"]
    assert letters.shape == (31, 26 + 10)
    for row, title in zip(letters[1:], data.catalog["title"], strict=True):
        assert row.tolist() == [
            title.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz0123456789"
        ]

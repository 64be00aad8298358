from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from solidrec.check import chance as fidelity_chance
from solidrec.check.chance import _candidate_counts, chance, untrained
from solidrec.check.subject import Subject
from solidrec.check.training import resume
from solidrec.data.prepare import prepare
from solidrec.metrics import Ranks
from solidrec.nn.recommender import Recommender

Make = Callable[..., Subject]
Install = Callable[..., None]


def test_ties_in_the_order_of_the_candidates_are_named(
    subject: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_order(scores: np.ndarray, column: np.ndarray) -> Ranks:
        target = scores[np.arange(len(scores)), column][:, None]
        before = np.arange(scores.shape[1]) < np.asarray(column)[:, None]
        greater = ((scores > target) | ((scores == target) & before)).sum(1)
        return Ranks(greater, np.zeros_like(greater), (scores > -np.inf).sum(1))

    monkeypatch.setattr("solidrec.evaluate.runner.standing", in_order)
    verdict = chance(subject())
    assert verdict is not None
    assert (verdict.status, verdict.measured) == ("fail", "paper: UAUC 1.0000, by chance 0.5000")
    assert verdict.cause == "UAUC ranks tied candidates by the order in which they come"


def test_what_chance_is_counts_the_candidates_one_by_one(subject: Make) -> None:
    data = subject().data
    rows = data.rows("test")
    seen = [
        set(data.event_items[data.offsets[u] : p].tolist()) - {t}
        for u, p, t in zip(rows.users, rows.positions, rows.targets, strict=True)
    ]
    assert _candidate_counts(data, "test", "full").tolist() == [40 - len(items) for items in seen]


class Found(NamedTuple):
    """A scorer that always puts the target, which stands in column 0, first."""

    model: Recommender

    def __call__(self, histories: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        return -np.arange(candidates.shape[1], dtype=np.float32) * np.ones(
            (len(histories), 1), dtype=np.float32
        )


def test_an_untrained_model_that_knows_the_targets_is_a_warning(
    subject: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fidelity_chance, "ModelScorer", Found)
    verdict = untrained(subject())
    assert verdict is not None
    assert verdict.status == "warning"
    assert "leak" in verdict.cure


def test_an_untrained_model_that_is_loud_is_a_warning(subject: Make, install: Install) -> None:
    install(lambda self, items, mask, candidates: 3000 * self.mean(items, mask))
    verdict = untrained(subject())
    assert verdict is not None
    assert (verdict.status, verdict.cause) == (
        "warning",
        "its logits are large before it has learned anything",
    )


def test_without_held_out_rows_there_is_nothing_to_measure(
    walk: Callable[..., Any], subject: Make, tmp_path: Path
) -> None:
    all_of_it = prepare(walk(users=30)[0], split="none", out=tmp_path / "all")
    made = subject(of=all_of_it)
    assert (chance(made), untrained(made)) == (None, None)
    assert resume(made).status == "pass"


@pytest.mark.parametrize(
    ("options", "measured"),
    [
        ({"split": "time"}, "paper: UAUC 0.5000"),
        # 7 of the 40 targets were had before, so nobody can be recommended them
        (
            {"negatives": 0},
            f"paper: UAUC nan, Recall@10 nan, NDCG@10 nan; full: UAUC {0.5 * 33 / 40:.4f}",
        ),
    ],
)
def test_other_splits_and_no_negatives_are_measured_too(
    walk: Callable[..., Any], subject: Make, tmp_path: Path, options: dict[str, Any], measured: str
) -> None:
    log = walk(users=40)[0].rename({"position": "timestamp"})
    made = subject(of=prepare(log, out=tmp_path / "other", **options))
    verdict = chance(made)
    assert verdict is not None
    assert verdict.status == "pass"
    assert verdict.measured.startswith(measured)
    assert resume(made).status == "pass"


def test_ids_alone_are_made_of_random_embeddings_and_that_is_said(
    walk: Callable[..., Any], subject: Make, tmp_path: Path
) -> None:
    made = subject("spg", of=prepare(walk(users=30)[0], out=tmp_path / "ids"))
    assert made.semantics is not None
    assert (
        made.semantics.reason == "the items have ids alone; the embeddings of ids are random here"
    )
    assert not (tmp_path / "ids" / "semantics").exists()

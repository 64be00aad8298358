"""Checks of the evaluation: a constant scorer measures as chance, an untrained model is near it."""

from __future__ import annotations

from typing import Literal

import numpy as np

from solidrec.arrays import Array
from solidrec.check.slicing import held_out
from solidrec.check.subject import Subject, Verdict
from solidrec.data.prepared import PreparedData
from solidrec.evaluate.result import Evaluation
from solidrec.evaluate.runner import Protocol, evaluate, repeated
from solidrec.inference.scorer import ModelScorer
from solidrec.metrics import mean
from solidrec.training.stages import start_of_stage

_Split = Literal["valid", "test"]
_K = 10
_FAR = 0.45  # suspicious distance of the UAUC from 0.5
_LOUD = 2.0  # suspicious log-loss; that of a logit of 0 is 0.69


def _constant(histories: Array, candidates: Array) -> Array:
    """Give every candidate the score 0."""
    return np.zeros((len(histories), candidates.shape[1]), dtype=np.float32)


def chance(subject: Subject) -> Verdict | None:
    """Check that a constant scorer measures as chance; None if the data has no held-out rows."""
    data, found, split = subject.data, [], _last_split(subject.data)
    promise = "a constant scorer reads as chance"
    if split is None:
        return None
    for protocol in ("paper", "full"):
        length = subject.spec.model.history_length
        result = evaluate(_constant, data, split=split, protocol=protocol, length=length, ks=(_K,))
        for name, expectation in _by_chance(_candidate_counts(data, split, protocol)).items():
            wanted = np.where(_missed(data, split, protocol), 0.0, expectation)
            measured, expected = (mean(values)[0] for values in (result.values[name], wanted))
            if not np.allclose(result.values[name], wanted, atol=1e-6, equal_nan=True):
                both = f"{protocol}: {name} {measured:.4f}, by chance {expected:.4f}"
                cause = f"{name} ranks tied candidates by the order in which they come"
                cure = "count ties by expectation (metrics.standing and metrics.per_row)"
                return Verdict(promise, both, cause, cure)
            found.append(f"{name} {measured:.4f}")
    half = len(found) // 2
    return Verdict(promise, f"paper: {', '.join(found[:half])}; full: {', '.join(found[half:])}")


def _last_split(data: PreparedData) -> _Split | None:
    """Return the last split with rows, or None."""
    return next((split for split in reversed(held_out(data)) if len(data.rows(split))), None)


def _candidate_counts(data: PreparedData, split: _Split, protocol: Protocol) -> Array:
    """Return the number of candidates of each row of a split, its target included."""
    rows = data.rows(split)
    if protocol == "paper":
        return np.full(len(rows), data.manifest["negatives"][split] + 1)
    # A target counts as a candidate even where its user had it before, so only others are removed.
    row, item = data.seen(rows.users, rows.positions)
    other = item != rows.targets[row]
    # An item that a user had several times is removed once.
    pairs = np.unique(np.stack([row[other], item[other]]), axis=1)
    return len(data.items) - np.bincount(pairs[0], minlength=len(rows))


def _missed(data: PreparedData, split: _Split, protocol: Protocol) -> Array:
    """Return a mask of the targets that cannot be recommended, as the user had them before."""
    rows = data.rows(split)
    if protocol == "full":
        return repeated(data, rows, slice(None))
    return np.zeros(len(rows), dtype=bool)


def _by_chance(candidates: Array) -> dict[str, Array]:
    """Return the metrics of each row, averaged over all orders of its `candidates` (a number).

    They are NaN where there is nothing to rank.

    >>> {name: round(float(value[0]), 4) for name, value in _by_chance(np.array([100])).items()}
    {'UAUC': 0.5, 'Recall@10': 0.1, 'NDCG@10': 0.0454}
    """
    shown = np.minimum(_K, candidates)
    # gains[n] is the sum of the discounts of the first n ranks.
    gains = np.append(0.0, np.cumsum(1 / np.log2(np.arange(2, _K + 2))))
    found = {
        "UAUC": np.full(len(candidates), 0.5),
        f"Recall@{_K}": shown / candidates,
        f"NDCG@{_K}": gains[shown] / candidates,
    }
    return {name: np.where(candidates > 1, value, np.nan) for name, value in found.items()}


def untrained(subject: Subject) -> Verdict | None:
    """Warn if the model before its first step has a UAUC near 0 or 1 or a high log-loss."""
    data, spec, split = subject.data, subject.spec, _last_split(subject.data)
    if split is None:
        return None
    model = start_of_stage(data, spec, subject.semantics, None, stage=1, device="cpu")
    found = evaluate(ModelScorer(model), data, split=split, length=spec.model.history_length)
    uauc, loss = found.metrics["UAUC"], found.metrics["LogLoss"]
    promise = "an untrained model knows little"
    if uauc is None or loss is None:
        return None
    measured = f"UAUC {uauc:.3f}, log-loss {loss:.3f} over {len(found.users)} targets of {split}"
    if abs(uauc - 0.5) > _FAR:
        share = _repeats(data, found, spec.model.history_length)
        cause = (
            "an untrained model tells targets from negatives; "
            f"{share:.0%} of the targets stand in their own history"
        )
        cure = "look for a leak of targets into histories; people who repeat items make it harmless"
        return Verdict(promise, measured, cause, cure, warns=True)
    if loss > _LOUD:
        cause = "its logits are large before it has learned anything"
        cure = "start embeddings and layers with smaller numbers"
        return Verdict(promise, measured, cause, cure, warns=True)
    return Verdict(promise, measured)


def _repeats(data: PreparedData, found: Evaluation, length: int) -> float:
    """Return the share of targets that are in their own history."""
    rows = data.rows("test" if found.split == "test" else "valid")
    histories = data.histories(rows.users, rows.positions, length)
    return float((histories == rows.targets[:, None]).any(1).mean())

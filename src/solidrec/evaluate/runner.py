"""Evaluate anything that scores candidates for histories, under a labelled protocol.

*paper*: the target among 99 fixed uniform negatives (the paper's section 4.1.1). *full*: the target among the
whole catalogue less the items that the user had seen before (never less the target).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from solidrec.data.prepared import EvalRows, PreparedData
from solidrec.errors import UsageError, nearest
from solidrec.evaluate.result import Evaluation
from solidrec.metrics import PooledAuc, Ranks, log_loss, per_row, ranks

Protocol = Literal["paper", "full"]
PROTOCOLS: tuple[str, ...] = get_args(Protocol)
Array = npt.NDArray[Any]
Scorer = Callable[[Array, Array], Array]
"""(histories (r, L), candidates (r or 1, C)) -> scores (r, C)"""
ROWS = 1024  # at a time, and fewer over a large catalogue
PLACES = 10
EXCLUDED = -1e9


class Block(NamedTuple):
    """Some rows of a split, scored.

    ``users`` (r,), ``candidates`` (r or 1, C), ``scores`` (r, C), the target's ``column`` (r,) and what is ``counted`` (r, C).
    """

    users: Array
    candidates: Array
    scores: Array
    column: Array
    counted: Array


def evaluate(
    score: Scorer,
    data: PreparedData,
    *,
    split: Literal["valid", "test"] = "test",
    protocol: Protocol = "paper",
    length: int = 10,
    ks: tuple[int, ...] = (5, 10, 20),
    sink: Callable[[Block], None] | None = None,
    step: Callable[[int], None] = lambda rows: None,
) -> Evaluation:
    """Rank each target of a split by `score` and return every metric, per user first.

    `sink` sees every block of scores (to save them), `step` counts finished rows (to draw progress). Raises
    `UsageError` if the data has no such split or the protocol is unknown, and `DivergedError` for a score that is not finite.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f"protocol {protocol!r} is unknown{nearest(protocol, PROTOCOLS)}")
    rows = data.rows(split)
    rows_at_once = ROWS if protocol == "paper" else max(1, min(ROWS, 4_000_000 // len(data.items)))
    make = paper_block if protocol == "paper" else full_block
    found: list[Ranks] = []
    losses, targets, negatives = [], [], []
    shown = np.zeros(len(data.items) + 1, dtype=bool)
    pooled = None if protocol == "paper" else PooledAuc(target_scores(score, data, rows, length))
    for start in range(0, len(rows), rows_at_once):
        stop = min(start + rows_at_once, len(rows))
        block = make(score, data, rows, slice(start, stop), length=length)
        found.append(ranks(block.scores, block.column, mask=block.counted))
        losses.append(row_loss(block))
        shown[top_items(block)] = True
        if pooled is None:
            targets.append(block.scores[:, 0])
            negatives.append(block.scores[:, 1:])
        else:
            pooled.add(block.scores[negative_places(block)])
        if sink:
            sink(block)
        step(stop - start)
    if pooled is None:
        pooled = PooledAuc(np.concatenate(targets) if targets else np.zeros(0))
        for chunk in negatives:
            pooled.add(chunk)
    together = Ranks.concatenate(found)
    return Evaluation(
        protocol=protocol,
        split=split,
        users=np.asarray(rows.users),
        negatives=round(float((together.candidates - 1).mean())) if len(rows) else 0,
        auc=pooled.value(),
        values=per_row(together, ks) | {"LogLoss": np.concatenate(losses)},
        coverage=float(shown[1:].mean()),
        training_count=np.asarray(data.train_counts[rows.targets]),
    )


def paper_block(score: Scorer, data: PreparedData, rows: EvalRows, part: slice, *, length: int) -> Block:
    """Score targets (column 0) and their fixed negatives."""
    histories = data.histories(rows.users[part], rows.positions[part], length)
    candidates = rows.candidates(part.start, part.stop)
    scores = score(histories, candidates)
    return Block(rows.users[part], candidates, scores, np.zeros(len(scores), dtype=np.int64), np.ones(scores.shape, dtype=bool))


def full_block(score: Scorer, data: PreparedData, rows: EvalRows, part: slice, *, length: int) -> Block:
    """Score the whole catalogue (item i in column i - 1); what the user saw before is out, the target never."""
    histories = data.histories(rows.users[part], rows.positions[part], length)
    candidates = np.arange(1, len(data.items) + 1, dtype=np.int32)[None]
    scores = score(histories, candidates)
    counted = np.ones(scores.shape, dtype=bool)
    seen_row, seen_item = data.seen(rows.users[part], rows.positions[part])
    counted[seen_row, seen_item - 1] = False
    column = rows.targets[part].astype(np.int64) - 1
    counted[np.arange(len(column)), column] = True
    return Block(rows.users[part], candidates, scores, column, counted)


def target_scores(score: Scorer, data: PreparedData, rows: EvalRows, length: int) -> Array:
    """Return each target's score (R,); the pooled AUC of a whole catalogue needs them before the negatives."""
    parts: list[Array] = [np.zeros(0, dtype=np.float32)]
    for start in range(0, len(rows), ROWS):
        part = slice(start, start + ROWS)
        histories = data.histories(rows.users[part], rows.positions[part], length)
        parts.append(score(histories, rows.targets[part][:, None])[:, 0])
    return np.concatenate(parts)


def negative_places(block: Block) -> Array:
    """Return the mask (r, C) of the counted candidates that are not the target."""
    places = block.counted.copy()
    places[np.arange(len(places)), block.column] = False
    return places


def row_loss(block: Block) -> Array:
    """Return each row's mean cross-entropy over what is counted (an excluded score is so low that it adds zero)."""
    labels: Array = np.zeros_like(block.scores)
    labels[np.arange(len(labels)), block.column] = 1
    low = np.where(block.counted, block.scores, np.float32(EXCLUDED))
    return np.asarray(log_loss(low, labels) * labels.shape[1] / block.counted.sum(1))


def top_items(block: Block) -> Array:
    """Return the items in anybody's first ten places, for coverage."""
    low = np.where(block.counted, block.scores, -np.inf)
    places = min(PLACES, low.shape[1])
    top = np.argpartition(-low, places - 1, axis=1)[:, :places]
    items = np.take_along_axis(np.broadcast_to(block.candidates, low.shape), top, 1)
    return np.unique(items[np.take_along_axis(block.counted, top, 1)])

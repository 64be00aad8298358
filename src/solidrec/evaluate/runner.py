"""Evaluation of anything that scores candidates for histories, under a labelled protocol.

*full*: the target ranks in the whole catalogue. With ``seen="filter"`` (default) items that the
user had before are left out, as in `recommend`, and a target that repeats one is a miss; ``"keep"``
leaves nothing out. *paper*: the target ranks among 99 fixed uniform negatives (section 4.1.1),
unseen ones, so `seen` has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, final, get_args

import numpy as np

from solidrec.arrays import Array
from solidrec.data.prepared import EvalRows, PreparedData
from solidrec.errors import UsageError, nearest
from solidrec.evaluate.result import Evaluation
from solidrec.inference.scorer import HistoryScorer, Reader, Scorer, reader, slices
from solidrec.inference.top import best
from solidrec.log_loss import target_loss
from solidrec.metrics import Ranks, per_row, standing
from solidrec.pooled_auc import PooledAuc
from solidrec.score_checks import finite

__all__ = ["Block", "Protocol", "Scorer", "Seen", "evaluate"]

Protocol = Literal["paper", "full"]
_PROTOCOLS: tuple[str, ...] = get_args(Protocol)
Seen = Literal["filter", "keep"]
_SEEN: tuple[str, ...] = get_args(Seen)
_ROWS = 1024  # histories encoded at a time
_CELLS = 1 << 18  # scores at a time: 1 MB, which stays in the cache from pass to pass
_WIDE_ROWS = 16  # rows scored at a time at least, so that the item table is read less often ...
_WIDE_CELLS = 1 << 24  # ... while their scores take up to 64 MB
_PLACES = 10  # of a list that count for the coverage


class Block(NamedTuple):
    """Some rows of a split, scored.

    ``users`` (r,), ``candidates`` (r or 1, C), ``scores`` (r, C) with -inf where an item is no
    candidate of the row, and the target's ``column`` (r,), also -inf if it cannot be recommended.
    """

    users: Array
    candidates: Array
    scores: Array
    column: Array

    @property
    def counted(self) -> Array:
        """Return the mask of the candidates that count (r, C)."""
        return np.asarray(self.scores > -np.inf)

    @property
    def missed(self) -> Array:
        """Return the mask of the targets that cannot be recommended (r,)."""
        return np.asarray(self.scores[np.arange(len(self.scores)), self.column] == -np.inf)

    def rows(self, part: slice) -> Block:
        """Return some rows of the block; the scores are shared."""
        candidates = self.candidates if len(self.candidates) == 1 else self.candidates[part]
        return Block(self.users[part], candidates, self.scores[part], self.column[part])


def evaluate(
    score: Scorer,
    data: PreparedData,
    *,
    split: Literal["valid", "test"] = "test",
    protocol: Protocol = "paper",
    seen: Seen = "filter",
    most: int | None = None,
    length: int = 10,
    ks: tuple[int, ...] = (5, 10, 20),
    sink: Callable[[Block], None] | None = None,
    step: Callable[[int], None] = lambda rows: None,
) -> Evaluation:
    """Rank each target of a split by `score` and return every metric, averaged per user first.

    A missed target (see above) scores 0 in every ranking metric and takes no part in LogLoss and
    the pooled AUC, which read scores. `most` limits the rows to an evenly spaced sample. `sink`
    gets every block of scores (to save them), `step` the number of finished rows (to draw
    progress). Raises `UsageError` if the data has no such split or `protocol` or `seen` is unknown,
    and `DivergedError` for a score that is not finite.
    """
    rows = data.rows(split)
    if most is not None and most < len(rows):
        rows = rows.take(np.linspace(0, len(rows) - 1, most).astype(np.int64))
    return evaluate_rows(
        score,
        data,
        rows,
        split=split,
        protocol=protocol,
        seen=seen,
        length=length,
        ks=ks,
        sink=sink,
        step=step,
    )


def evaluate_rows(
    score: Scorer,
    data: PreparedData,
    rows: EvalRows,
    *,
    split: str,
    protocol: Protocol = "paper",
    seen: Seen = "filter",
    length: int = 10,
    ks: tuple[int, ...] = (5, 10, 20),
    sink: Callable[[Block], None] | None = None,
    step: Callable[[int], None] = lambda rows: None,
) -> Evaluation:
    """Rank the targets of some rows, called `split`, as `evaluate` does those of a split."""
    _known("protocol", protocol, _PROTOCOLS)
    _known("seen", seen, _SEEN)
    parts = list(slices(len(rows), _ROWS))

    def readers() -> Iterable[Reader]:
        for part in parts:
            yield reader(score, data.histories(rows.users[part], rows.positions[part], length))

    if protocol == "paper":
        pooled, blocks = None, _paper_blocks(readers(), rows, parts)
    else:  # target scores come first: histories are encoded twice, unless user states are kept
        kept = isinstance(score, HistoryScorer) and score.keeps_vectors
        read = list(readers()) if kept else None
        pooled = PooledAuc(_target_scores(read or readers(), data, rows, parts, seen=seen))
        blocks = _full_blocks(read or readers(), data, rows, parts, seen=seen)
    sums = _MetricSums(len(data.items), pooled)
    for block in blocks:
        if sink:
            sink(block)
        for some in slices(len(block.users), max(1, _CELLS // block.scores.shape[1])):
            sums.add(block.rows(some))
        step(len(block.users))
    together, missed = Ranks.concatenate(sums.ranks), np.concatenate(sums.missed)
    values = {name: np.where(missed, 0.0, found) for name, found in per_row(together, ks).items()}
    return Evaluation(
        protocol=protocol,
        split=split,
        users=np.asarray(rows.users),
        negatives=round(float((together.candidates - 1).mean())) if len(rows) else 0,
        auc=sums.auc(),
        values=values | {"LogLoss": np.concatenate(sums.losses)},
        coverage=float(sums.shown[1:].mean()),
        training_count=np.asarray(data.train_counts[rows.targets]),
        seen=seen if protocol == "full" else None,
        missed=int(missed.sum()),
    )


def _known(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raise `UsageError` for a value that is not among the known ones."""
    if value not in known:
        raise UsageError(f"{name} {value!r} is unknown{nearest(value, known)}")


@final
class _MetricSums:
    """Running totals of an evaluation: ranks, losses, the pooled AUC and the items that were shown.

    The ``pooled`` AUC needs all targets first; without it (few candidates) all scores are kept.
    """

    def __init__(self, items: int, pooled: PooledAuc | None) -> None:
        self.ranks = [Ranks(*np.zeros((3, 0), dtype=np.int64))]
        self.losses: list[Array] = [np.zeros(0)]
        self.missed: list[Array] = [np.zeros(0, dtype=bool)]
        self.shown = np.zeros(items + 1, dtype=bool)
        self.pooled = pooled
        self.targets: list[Array] = [np.zeros(0, dtype=np.float32)]
        self.negatives: list[Array] = []

    def add(self, block: Block) -> None:
        """Add a block of checked scores."""
        scores, column, missed = block.scores, block.column, block.missed
        found = standing(scores, column)
        if missed.any():  # such a target is no candidate: it ranks behind all candidates
            found = Ranks(found.greater, np.where(missed, 0, found.ties), found.candidates + missed)
        self.ranks.append(found)
        self.losses.append(np.where(missed, np.nan, target_loss(scores, column, found.candidates)))
        self.missed.append(missed)
        ids = block.candidates
        row, at = best(scores, _PLACES, order=ids)
        self.shown[ids[0, at] if len(ids) == 1 else ids[row, at]] = True
        if self.pooled is None:
            self.targets.append(scores[:, 0])
            self.negatives.append(scores[:, 1:])
        else:
            target = scores[np.arange(len(scores)), column]
            scores[np.arange(len(scores)), column] = -np.inf  # the target is no negative
            self.pooled.add(scores)
            scores[np.arange(len(scores)), column] = target

    def auc(self) -> float:
        """Return the pooled AUC."""
        pooled = self.pooled or PooledAuc(np.concatenate(self.targets))
        for chunk in self.negatives:
            pooled.add(chunk)
        return pooled.value()


def _paper_blocks(
    readers: Iterable[Reader], rows: EvalRows, parts: Sequence[slice]
) -> Iterator[Block]:
    """Score targets (column 0) and their fixed negatives."""
    for part, read in zip(parts, readers, strict=True):
        candidates = rows.candidates(part.start, part.stop)
        scores = finite(read(slice(None), candidates))
        yield Block(rows.users[part], candidates, scores, np.zeros(len(scores), dtype=np.int64))


def _full_blocks(
    readers: Iterable[Reader],
    data: PreparedData,
    rows: EvalRows,
    parts: Sequence[slice],
    *,
    seen: Seen,
) -> Iterator[Block]:
    """Score the whole catalogue (item i in column i - 1), seen items left out under *filter*."""
    items = len(data.items)
    candidates = np.arange(1, items + 1, dtype=np.int32)[None]
    wide = max(_CELLS // items, min(_WIDE_ROWS, _WIDE_CELLS // items), 1)
    for part, read in zip(parts, readers, strict=True):
        users, positions = rows.users[part], rows.positions[part]
        column = rows.targets[part].astype(np.int64) - 1
        for some in slices(len(users), wide):
            scores = finite(read(some, candidates))
            if seen == "filter":
                seen_row, seen_item = data.seen(users[some], positions[some])
                scores[seen_row, seen_item - 1] = -np.inf
            yield Block(users[some], candidates, scores, column[some])


def repeated(data: PreparedData, rows: EvalRows, part: slice) -> Array:
    """Return the mask (r,) of the targets of a part that their user had before."""
    row, item = data.seen(rows.users[part], rows.positions[part])
    found = np.zeros(len(rows.users[part]), dtype=bool)
    found[row[item == rows.targets[part][row]]] = True
    return found


def _target_scores(
    readers: Iterable[Reader],
    data: PreparedData,
    rows: EvalRows,
    parts: Sequence[slice],
    *,
    seen: Seen,
) -> Array:
    """Return the scores of the targets that can be recommended, one after the other."""
    scores = [np.zeros(0, dtype=np.float32)]
    for part, read in zip(parts, readers, strict=True):
        found = read(slice(None), rows.targets[part][:, None])[:, 0]
        scores.append(found if seen == "keep" else found[~repeated(data, rows, part)])
    return np.concatenate(scores)

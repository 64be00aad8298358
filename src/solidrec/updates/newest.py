"""The newest events, on which an update is judged before anything was trained on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, final

import numpy as np
import numpy.typing as npt

from solidrec.data.append import first_new
from solidrec.data.prepared import EvalRows, PreparedData
from solidrec.data.split import first_at
from solidrec.evaluate.result import Evaluation
from solidrec.evaluate.runner import Scorer, evaluate_rows
from solidrec.evaluate.significance import crossed

METRIC = "NDCG@10"
"""What an update is judged by, over the whole catalogue."""


class Held(NamedTuple):
    """Data whose training ends before the newest events, and their targets."""

    data: PreparedData
    rows: EvalRows


def hold_newest(data: PreparedData, trained: npt.NDArray[np.bool_], *, share: float) -> Held:
    """Hold out the newest `share` of the events that are new: not `trained` (N,) before.

    The target of a user is the first held-out event that has an earlier event. In data ordered by
    position, in which the events of two users cannot be compared, each user's last event is held
    out if it is new.
    """
    starts, ends = np.asarray(data.offsets[:-1]), np.asarray(data.offsets[1:])
    times = np.asarray(data.event_times)
    late = np.maximum(ends - 1, starts)
    if data.manifest["order"] == "timestamp":
        cut = int(np.quantile(times[~trained], 1 - share, method="higher"))
        late = first_at(starts, ends, times, cut)
    # Late arrivals may lie before events that were trained: a target is always a new one.
    held = first_new(data.offsets, trained, begin=late)
    at = first_new(data.offsets, trained, begin=np.maximum(held, starts + 1))
    users = np.flatnonzero(at < ends)
    rows = EvalRows(
        users.astype(np.int32),
        at[users],
        data.event_items[at[users]],
        lambda start, stop: np.empty((stop - start, 0), dtype=np.int32),
    )
    return Held(replace(data, train_end=held), rows)


@final
@dataclass(frozen=True)
class Verdict:
    """How an update compares with the run before: metrics of both, and their difference.

    ``low`` and ``high`` are the 95 % interval of the mean difference over ``users``.
    """

    before: Evaluation
    after: Evaluation
    difference: float
    low: float
    high: float
    users: int

    @property
    def worse(self) -> bool:
        """Whether the update is measurably worse: its whole interval lies below 0."""
        return self.high < 0

    @property
    def empty(self) -> bool:
        """Whether it says nothing: neither model has one of the targets among its best."""
        return not any(found.metrics[METRIC] for found in (self.before, self.after))

    def __str__(self) -> str:
        one, other = (found.metrics[METRIC] or 0.0 for found in (self.before, self.after))
        return (
            f"{METRIC} {one:.4f} before, {other:.4f} after, on the newest events of "
            f"{self.users:,} users; the difference is {self.difference:+.4f} "
            f"({self.low:+.4f} to {self.high:+.4f})"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        values = {
            name: found.metrics[METRIC]
            for name, found in (("before", self.before), ("after", self.after))
        }
        return {
            "metric": METRIC,
            **values,
            "difference": self.difference,
            "interval": [self.low, self.high],
            "users": self.users,
        }


def judge(before: Scorer, after: Scorer, held: Held, *, length: int) -> Verdict | None:
    """Rank the held-out targets in the whole catalogue by both models, and compare them.

    Returns None if there are none.
    """
    if not len(held.rows):
        return None
    one, other = (
        evaluate_rows(score, held.data, held.rows, split="newest", protocol="full", length=length)
        for score in (before, after)
    )
    found = crossed((other.per_user[METRIC] - one.per_user[METRIC])[None])
    return Verdict(one, other, found.mean, found.low, found.high, found.users)

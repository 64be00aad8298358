"""New events behind those of a prepared folder: the same ids keep their numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from solidrec.data.clean import CleanLog
from solidrec.data.prepared import Events, PreparedData
from solidrec.errors import DataError
from solidrec.id_map import IdMap

_Positions = npt.NDArray[np.int64]
_APART = 20
"""Times whose largest are further apart than this factor are of different units."""


class Appended(NamedTuple):
    """Events with new ones among them.

    ``trained`` (N,): whether an event was in training before. ``added`` counts the new events, and
    ``known`` those that were there already.
    """

    events: Events
    trained: npt.NDArray[np.bool_]
    added: int
    known: int


def appended(data: PreparedData, log: CleanLog, *, vocabulary: IdMap) -> Appended:
    """Return the events of prepared data and of a new log together.

    Users and items that are new come behind the known ones, so no number changes; the `vocabulary`
    begins with the items of the data. In a log ordered
    by time an event that the data has already is left out; in one ordered by position every event
    counts as later than all that its user did before. Raises `DataError` if the two are not ordered
    alike.
    """
    order = data.manifest["order"]
    if log.order != order:
        raise DataError(
            f"the new log is ordered by {log.order}, {data.path} by {order}; bring a log with the "
            "columns that `prepare` read"
        )
    if order == "timestamp":
        _check_unit(data, log)
    users, user = _numbered(data.users, log.users, log.user)
    items, item = _numbered(vocabulary, log.items, log.item)
    before = np.repeat(np.arange(len(data.offsets) - 1), np.diff(data.offsets))
    times = log.time if order == "timestamp" else _behind(data, user)
    # Old and new events in one array each, the old ones first.
    both_users = np.concatenate([before, user])
    both_items = np.concatenate([np.asarray(data.event_items), item.astype(np.int32)])
    both_times = np.concatenate([np.asarray(data.event_times), times])
    trained = np.zeros(len(both_users), dtype=bool)
    trained[: len(before)] = np.arange(len(before)) < data.train_end[before]
    kept = np.ones(len(both_users), dtype=bool)
    if order == "timestamp":
        kept = ~_known(both_users, both_items, both_times, old=len(before))
    # By user, then time; equal times keep their order, so an old event stays before a new one.
    chosen = np.flatnonzero(kept)
    chosen = chosen[np.lexsort((both_times[chosen], both_users[chosen]))]
    offsets = np.concatenate(
        [[0], np.cumsum(np.bincount(both_users[chosen], minlength=len(users) + 1))]
    )
    events = Events(users, items, offsets, both_items[chosen], both_times[chosen])
    return Appended(
        events, trained[chosen], added=len(chosen) - len(before), known=int((~kept).sum())
    )


def _check_unit(data: PreparedData, log: CleanLog) -> None:
    """Raise `DataError` for times of another unit, such as milliseconds behind seconds."""
    before, now = (int(np.max(times, initial=0)) for times in (data.event_times, log.time))
    if before > 0 and not 1 / _APART < now / before < _APART:
        raise DataError(
            f"the new log's times reach {now}, those of {data.path} {before}: they are of another "
            "unit; write times as the first log did (whole seconds, or all with fractions or as "
            "dates)"
        )


def _numbered(
    known: IdMap, ids: pl.Series, numbers: npt.NDArray[np.int32]
) -> tuple[IdMap, _Positions]:
    """Return the known ids followed by the new ones, and `numbers` (N,) of `ids` in this order."""
    new = ids.filter(~ids.is_in(known.series.implode()))
    longer = IdMap(pl.concat([known.series, new.alias("id").cast(pl.String)], rechunk=True))
    of_id = np.array([0, *map(longer.index, ids.to_list())], dtype=np.int64)
    return longer, of_id[numbers]


def _behind(data: PreparedData, user: _Positions) -> _Positions:
    """Return order keys of new events (N,), each user's together, that follow the user's keys."""
    last = np.full(max(len(data.offsets) - 1, int(user.max(initial=0)) + 1), -1, dtype=np.int64)
    active = np.flatnonzero(np.diff(data.offsets))
    last[active] = data.event_times[data.offsets[active + 1] - 1]
    # The number of an event among those of its user, from 0.
    starts = np.flatnonzero(np.append(True, user[1:] != user[:-1]))
    sizes = np.diff(np.append(starts, len(user)))
    nth = np.arange(len(user)) - np.repeat(starts, sizes)
    return np.asarray(last[user] + 1 + nth)


def _known(
    users: _Positions, items: _Positions, times: _Positions, *, old: int
) -> npt.NDArray[np.bool_]:
    """Return which events (N,) repeat one of the first `old`: the same user, item and time."""
    frame = pl.DataFrame({"user": users, "item": items, "time": times})
    rest = frame[old:].with_row_index("row")
    found = rest.join(frame[:old], on=["user", "item", "time"], how="semi")["row"].to_numpy()
    known = np.zeros(len(users), dtype=bool)
    known[old + found] = True
    return known


def first_new(
    offsets: _Positions, trained: npt.NDArray[np.bool_], *, begin: _Positions | None = None
) -> _Positions:
    """Return the position (U + 1,) of each user's first event that is not trained, or the end.

    With `begin` (U + 1,), the first one at or after that position.

    >>> first_new(np.array([0, 0, 3, 5]), np.array([True, False, True, True, True]))
    array([0, 1, 5])
    """
    first = np.asarray(offsets[1:]).copy()
    late = ~trained
    if begin is not None:
        late = late & (np.arange(len(trained)) >= np.repeat(begin, np.diff(offsets)))
    where = np.flatnonzero(late)
    user = np.searchsorted(offsets, where, side="right") - 1
    np.minimum.at(first, user, where)
    return first

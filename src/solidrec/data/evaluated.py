"""Who is evaluated, and on how many negatives: users who touched nearly everything are left out."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Bools
from solidrec.data.prepared import Events
from solidrec.data.split import Split
from solidrec.errors import DataError

_NAMED = 5


class _Evaluated(NamedTuple):
    """The split without the users left out, the negatives of each part, and lines about both."""

    split: Split
    negatives: dict[str, int]
    notes: tuple[str, ...]


def evaluated(events: Events, split: Split, wanted: int) -> _Evaluated:
    """Return the split with as many negatives a target as every user has, at most `wanted`.

    A user who leaves less than half of what is left to most users is not evaluated, so that one
    who touched nearly everything does not lower the negatives of all; such users are counted in the
    split's facts and named in a note. Raises `DataError` if most users touched everything.
    """
    targets, negatives, skipped = {}, {}, {}
    parts_of: dict[str, list[str]] = {}  # of each line on what deserves a look
    for part, (users, positions) in split.targets.items():
        free = events.unseen.free[users]
        few = _too_few(free, wanted)
        targets[part] = users[~few], positions[~few]
        negatives[part] = min(wanted, int(free[~few].min()))
        least = events.users.id(int(users[~few][free[~few].argmin()]))
        if wanted and not negatives[part]:
            raise DataError(
                f"user {least!r} touched all {len(events.item_ids)} items, as did most who have a "
                f"{part} item, so no negative is left; say --negatives 0"
            )
        if negatives[part] < wanted:
            parts_of.setdefault(
                f"{negatives[part]:,} negatives a target, not {wanted:,}: user {least!r} has "
                "touched all other items",
                [],
            ).append(part)
        if few.any():
            skipped[part] = int(few.sum())
            names = ", ".join(repr(events.users.id(int(user))) for user in users[few][:_NAMED])
            more = f" and {skipped[part] - _NAMED:,} more" if skipped[part] > _NAMED else ""
            parts_of.setdefault(
                f"not evaluated, for want of items that they have not touched: users {names}{more}",
                [],
            ).append(part)
    facts = split.facts | ({"users_without_negatives": skipped} if skipped else {})
    notes = tuple(f"{' and '.join(parts)}: {line}" for line, parts in parts_of.items())
    return _Evaluated(replace(split, targets=targets, facts=facts), negatives, notes)


def _too_few(free: npt.NDArray[np.int64], wanted: int) -> Bools:
    """Return which users have too few of `free` (R,) items: less than half of what most have.

    >>> _too_few(np.array([50, 40, 2, 45]), 99), _too_few(np.array([500, 60, 2]), 99)
    (array([False, False,  True, False]), array([False, False,  True]))
    """
    typical = min(wanted, float(np.median(free)))
    return np.asarray(2 * free < typical)

"""How alike two rankings are."""

from __future__ import annotations

from collections.abc import Sequence


def rank_biased_overlap(one: Sequence[str], other: Sequence[str], p: float = 0.9) -> float:
    """Return how alike two rankings are, from 0 to 1; their first places count most.

    The sum over depths d of p^(d-1) times the share of items that both have among their first d,
    over the sum of the p^(d-1) (Webber, Moffat & Zobel, TOIS 2010, cut at the longer ranking).

    >>> rank_biased_overlap(["a", "b"], ["a", "b"]), rank_biased_overlap(["a"], ["b"])
    (1.0, 0.0)
    """
    depth = max(len(one), len(other))
    weights = [p**place for place in range(depth)]
    shared = [len({*one[:place]} & {*other[:place]}) / place for place in range(1, depth + 1)]
    total = sum(weights)
    return sum(w * s for w, s in zip(weights, shared, strict=True)) / total if total else 1.0

"""The plan of an epoch against a plain loop over users."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidrec.training.passes import passes, single_passes

Row = tuple[int, int, int, int]


def naive(begin: int, end: int, *, user: int, length: int, stride: int, phase: int) -> list[Row]:
    """One user's passes (user, start, end, targets), target by target."""
    targets = list(range(begin + 1, end))
    groups, rest = [targets[:length]], targets[length:]
    while rest:
        size = stride - phase if len(groups) == 1 else stride
        groups, rest = [*groups, rest[:size]], rest[size:]
    return [
        (user, max(begin, group[-1] - length), group[-1], len(group)) for group in groups if group
    ]


@given(
    counts=st.lists(st.integers(0, 30), min_size=1, max_size=8),
    length=st.integers(1, 7),
    data=st.data(),
)
def test_passes_equal_the_loop(counts: list[int], length: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, length))
    phase = np.array(
        data.draw(st.lists(st.integers(0, stride - 1), min_size=len(counts), max_size=len(counts)))
    )
    end = np.cumsum(counts)
    begin = end - counts
    found = passes(begin, end, length=length, stride=stride, phase=phase)
    expected = [
        row
        for user, (b, e) in enumerate(zip(begin.tolist(), end.tolist(), strict=True))
        for row in naive(b, e, user=user, length=length, stride=stride, phase=int(phase[user]))
    ]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected
    served = Counter(at for _, _, last, n in expected for at in range(last - n + 1, last + 1))
    assert served == Counter(
        at for b, e in zip(begin.tolist(), end.tolist(), strict=True) for at in range(b + 1, e)
    )


@given(counts=st.lists(st.integers(0, 12), min_size=1, max_size=6), length=st.integers(1, 5))
def test_single_passes_are_windows(counts: list[int], length: int) -> None:
    end = np.cumsum(counts)
    begin = end - counts
    found = single_passes(begin, end, length=length)
    expected = [
        (user, max(b, at - length), at, 1)
        for user, (b, e) in enumerate(zip(begin.tolist(), end.tolist(), strict=True))
        for at in range(b + 1, e)
    ]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


@pytest.mark.parametrize("stride", [1, 2, 5])
def test_over_the_phases_a_target_meets_every_number_of_items(stride: int) -> None:
    """Between length - stride + 1 and length, each equally often."""
    met: Counter[int] = Counter()
    for phase in range(stride):
        plan = passes(
            np.array([0]), np.array([40]), length=5, stride=stride, phase=np.array([phase])
        )
        for start, end, targets in zip(plan.start, plan.end, plan.targets, strict=True):
            met.update(
                at - int(start)
                for at in range(int(end) - int(targets) + 1, int(end) + 1)
                if at == 20
            )
    assert met == Counter(range(5 - stride + 1, 6))

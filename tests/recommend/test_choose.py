"""The choice of varied items: the next best that fits, and never fewer than there are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from solidrec.recommend.choose import choose


def test_columns_without_a_score_are_never_chosen_and_ties_go_to_the_first() -> None:
    scores = np.array([1.0, -np.inf, 3.0, 3.0, np.nan])
    found = choose(scores, 9, vectors=None, diversity=0.0, at_most=[])
    assert found.tolist() == [2, 3, 0]


@given(st.data())
def test_no_value_is_shared_by_more_items_than_said(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    labels = data.draw(
        st.lists(st.lists(st.integers(0, 3), max_size=2), min_size=count, max_size=count)
    )
    most, k = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 12))
    diversity = data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    scores, vectors = rng.standard_normal(count), rng.standard_normal((count, 2))
    sets = [tuple(set(one)) for one in labels]
    found = choose(scores, k, vectors=vectors, diversity=diversity, at_most=[(sets, most)]).tolist()
    assert len(found) == len(set(found)) <= k
    counts = [sum(value in sets[column] for column in found) for value in range(4)]
    assert max(counts) <= most
    for column in set(range(count)) - set(found) if len(found) < k else ():
        assert any(counts[value] == most for value in sets[column])  # no other would have fitted

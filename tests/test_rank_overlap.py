from __future__ import annotations

import pytest

from solidrec.rank_overlap import rank_biased_overlap


def test_the_overlap_of_two_rankings_weighs_the_first_places_most() -> None:
    assert rank_biased_overlap(["a", "b", "c"], ["a", "b", "c"]) == 1
    assert rank_biased_overlap(["a"], ["b"]) == 0
    assert rank_biased_overlap([], []) == 1
    # depths 1 and 2 share 0 of 1 and 2 of 2
    assert rank_biased_overlap(["a", "b"], ["b", "a"]) == pytest.approx(0.9 / 1.9)
    first, last = ["x", "b", "c", "d"], ["a", "b", "c", "x"]
    assert rank_biased_overlap(["a", "b", "c", "d"], last) > rank_biased_overlap(
        ["a", "b", "c", "d"], first
    )

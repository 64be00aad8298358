"""A scorer of a mixture gives the mixture's scores, also where most items are never scored."""

from __future__ import annotations

import numpy as np
import pytest
from tests.nn.large import L, V, histories, large

from solidrec.inference import mixture_scorer
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.inference.scorer import HistoryScorer
from solidrec.inference.traced import trace

ASKED, EVERYTHING = histories().numpy()[1:], np.arange(1, V + 1)[None]


@pytest.fixture(params=["mixture", "mixture-static"])
def pair(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[HistoryScorer, HistoryScorer]:
    """The scorer of a catalogue that counts as small, and of the same one that counts as large."""
    model = large(request.param)
    small = scorer_of(model)
    monkeypatch.setattr(mixture_scorer, "_MANY", V - 1)
    return small, scorer_of(model)


def test_the_best_items_are_those_of_all_scores(
    pair: tuple[HistoryScorer, HistoryScorer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As scored together, by recordings, and one history at a time."""
    small, many = pair
    assert (small.certain, many.certain) == (0, 100)
    expected = small(ASKED, EVERYTHING)
    np.testing.assert_array_equal(small.read_best(ASKED)(slice(None), EVERYTHING), expected)
    np.testing.assert_array_equal(many(ASKED, EVERYTHING), expected)
    best = np.argsort(-expected, axis=1)[:, : many.certain]

    def check() -> None:
        found = many.read_best(ASKED)(slice(None), EVERYTHING)
        np.testing.assert_allclose(
            np.take_along_axis(found, best, 1), np.take_along_axis(expected, best, 1), atol=1e-4
        )
        assert np.isneginf(found).any()

    check()
    assert trace(many, length=L, items=V, most=4)
    check()
    monkeypatch.setattr(mixture_scorer, "FLOATS_AT_ONCE", 1)
    check()


@pytest.mark.parametrize("rows", [1, len(ASKED)])
def test_few_candidates_are_scored_as_among_all(
    pair: tuple[HistoryScorer, HistoryScorer], rows: int
) -> None:
    small, many = pair
    candidates = np.random.default_rng(0).integers(1, V + 1, (rows, 30))
    # Some that the first history's memories speak of.
    candidates[0, :9] = np.argsort(-small(ASKED[:1], EVERYTHING)[0])[:9] + 1
    np.testing.assert_allclose(
        many(ASKED, candidates), small(ASKED, candidates), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("room", [1, 1 << 14, 1 << 17, 1 << 22])
def test_a_block_is_a_size_that_is_recorded_and_fits(
    room: int, pair: tuple[HistoryScorer, HistoryScorer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixture_scorer, "FLOATS_AT_ONCE", room)
    size, fits = pair[0].block(L), max(1, room // (4 * (V + 1)))
    assert size == 1 << (size.bit_length() - 1)
    assert size <= fits < 2 * size

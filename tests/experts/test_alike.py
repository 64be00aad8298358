"""Content similarity against dense cosines, and what it is made of."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from solidrec.experts import alike as module
from solidrec.experts.alike import alike, described, term_rows


def catalog(count: int = 30) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "item": [f"i{number}" for number in range(count)],
            "title": [
                " ".join(f"w{word}" for word in rng.integers(0, 20, size=4)) for _ in range(count)
            ],
            "categories": [[f"c{label}"] for label in rng.integers(0, 4, size=count)],
            "brand": [f"B{number % 5}" if number % 3 else None for number in range(count)],
        }
    )


def test_it_is_the_cosine_of_tf_idf_vectors() -> None:
    rows = term_rows(described(catalog())).toarray()
    expected = rows @ rows.T
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(alike(catalog(), {}).toarray(), expected, atol=1e-9)


def test_each_item_keeps_its_most_similar(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = alike(catalog(), {}).toarray()
    monkeypatch.setattr(module, "KEEP", 3)
    for row, some in zip(whole, alike(catalog(), {}).toarray(), strict=True):
        assert 0 < np.count_nonzero(some) <= 4  # of three and itself one may be left besides itself
        assert some[np.nonzero(some)].min() >= np.sort(row)[-4] - 1e-9


def test_terms_are_told_apart_by_where_they_come_from() -> None:
    """A brand that is a word of another item's title makes nothing similar."""
    frame = pl.DataFrame(
        {"item": ["a", "b"], "title": ["apple pie", "phone"], "brand": [None, "Apple"]}
    )
    assert described(frame) == [["word:apple", "word:pie"], ["word:phone", "brand:apple"]]
    assert alike(frame, {}).nnz == 0


def test_a_term_that_is_everywhere_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"item": list("abc"), "title": ["the mug", "the pen", "the mug"]})
    monkeypatch.setattr(module, "_COMMON", 2)
    assert alike(frame, {}).toarray()[0].round(6).tolist() == [0, 0, 1]


def test_prose_is_read_where_an_item_has_no_title() -> None:
    frame = pl.DataFrame(
        {
            "item": ["a", "b"],
            "title": [None, "mug"],
            "text": [None, "x"],
            "description": ["A mug.", "y"],
        }
    )
    assert described(frame) == [["word:a", "word:mug"], ["word:mug"]]


def test_vectors_count_where_there_are_no_terms() -> None:
    """Centred cosines: a square's corner has neighbours at 0, 0 and -1; only twins are positive."""
    frame = pl.DataFrame({"item": list("abcde")})
    vectors = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1], [1, 1]], dtype=np.float32)
    found = alike(frame, {"x": vectors}).toarray()
    assert found[0, 4] == pytest.approx(1)
    assert found[0, 3] == 0


def test_without_content_nothing_is_similar() -> None:
    assert alike(pl.DataFrame({"item": ["a", "b"]}), {}).nnz == 0

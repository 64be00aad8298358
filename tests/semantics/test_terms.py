"""Title vectors: like titles are near, no title is a zero row, and no title set makes it stumble."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.semantics.text import title_vectors


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_titles_that_share_words_are_near() -> None:
    vectors = title_vectors(["red cotton shirt", "Blue Cotton SHIRT", "steel frying pan", "cast iron pan", None])
    assert cosine(vectors[0], vectors[1]) > cosine(vectors[0], vectors[2]) + 0.2
    assert cosine(vectors[2], vectors[3]) > cosine(vectors[0], vectors[3]) + 0.2


@pytest.mark.parametrize("width", [1, 8, 64])
def test_shape_and_missing_titles(width: int) -> None:
    """A row a title; no title, an empty one and one without a letter or digit are exactly zero."""
    rng = np.random.default_rng(0)
    titles = [" ".join(rng.choice([f"w{i}" for i in range(200)], size=4)) for _ in range(100)]
    vectors = title_vectors([*titles, None, "", " -- "], width=width)
    assert vectors.shape == (103, width)
    assert vectors.dtype == np.float32
    assert not vectors[100:].any()
    assert np.isfinite(vectors).all()


def test_same_bytes_each_time() -> None:
    titles = [f"word{i % 7} and word{i % 5}" for i in range(50)]
    assert title_vectors(titles, width=4).tobytes() == title_vectors(titles, width=4).tobytes()


@pytest.mark.parametrize(
    "titles",
    [
        ["one"],
        ["one two three"],
        ["the same"] * 5,
        ["a"] * 3,
        [None, "x y"],
        ["鍵 盤", "鍵"],
        ["½ ² Ⅻ", "b"],
        ["word " * 5000, "b c"],
    ],
)
def test_small_and_odd_title_sets(titles: list[str | None]) -> None:
    vectors = title_vectors(titles)
    assert vectors.shape[0] == len(titles)
    assert np.isfinite(vectors).all()
    assert [bool(row.any()) for row in vectors] == [title is not None for title in titles]


@pytest.mark.parametrize("titles", [[None, None], ["", "..."], ["___"], []])
def test_no_usable_title_is_one_zero_column(titles: list[str | None]) -> None:
    vectors = title_vectors(titles)
    assert vectors.shape == (len(titles), 1)
    assert not vectors.any()

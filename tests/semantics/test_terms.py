"""Vectors of bags of terms: like titles are near, no row is zero, odd and new inputs work."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.semantics.terms import fit_terms, tokens, words


def title_vectors(titles: list[str | None], width: int = 64) -> np.ndarray:
    return fit_terms([words(title) for title in titles], width=width)[1]


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_titles_that_share_words_are_near() -> None:
    vectors = title_vectors(
        ["red cotton shirt", "Blue Cotton SHIRT", "steel frying pan", "cast iron pan", None]
    )
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


def test_new_items_go_through_what_was_fitted() -> None:
    """Titles give the same vectors again; unknown words count for nothing, alone as missing."""
    rng = np.random.default_rng(0)
    bags = [[f"w{i}" for i in rng.integers(60, size=5)] for _ in range(80)]
    model, vectors = fit_terms(bags, width=16)
    np.testing.assert_allclose(model.vectors(bags), vectors, atol=1e-5)
    assert not model.vectors([["never", "seen"], []]).any()
    weighed = model.vectors([[*bags[0], "never"]])
    np.testing.assert_allclose(weighed[0], vectors[0], atol=1e-5)


def test_a_vector_is_the_sum_of_its_terms_vectors() -> None:
    """TF-IDF by hand: 1 + ln(count), times idf, to unit length; then the terms' columns added."""
    bags = [["a", "a", "b"], ["b", "c"], ["c", "d", "e"], ["a", "e"]]
    model, _ = fit_terms(bags, width=3)
    idf = {"a": np.log(5 / 3) + 1, "b": np.log(5 / 3) + 1}  # ln((1 + 4) / (1 + 2)) + 1
    weights = np.array([(1 + np.log(2)) * idf["a"], idf["b"]])
    weights /= np.linalg.norm(weights)
    columns = model.components[:, [model.vocabulary.index("a"), model.vocabulary.index("b")]]
    np.testing.assert_allclose(model.vectors([bags[0]])[0], columns @ weights, rtol=1e-5)


@pytest.mark.parametrize("bags", [[[], []], [["one"], []]])
def test_a_model_of_nothing_or_of_one_term(bags: list[list[str]]) -> None:
    model, vectors = fit_terms(bags)
    np.testing.assert_allclose(model.vectors([*bags, ["new"]]), [*vectors, [0.0]])
    assert model.vectors([]).shape == (0, 1)


def test_a_placed_token_means_something_else_in_each_place() -> None:
    lists = [[1, 2], [2, 1], [1, 2]]
    _, placed = fit_terms([tokens(codes, placed=True) for codes in lists])
    _, bags = fit_terms([tokens(codes, placed=False) for codes in lists])
    assert cosine(placed[0], placed[1]) == pytest.approx(0, abs=1e-6)
    assert cosine(placed[0], placed[2]) == pytest.approx(1)
    assert cosine(bags[0], bags[1]) == pytest.approx(1)


@pytest.mark.parametrize("labels", [2, 3, 6, 40])
@pytest.mark.parametrize("times", [1, 0], ids=["one more of each label", "equally many"])
def test_labels_that_no_two_items_share_are_all_told_apart(labels: int, times: int) -> None:
    items = [[f"label {k}"] for k in range(labels) for _ in range(3 + times * k)]
    model, vectors = fit_terms(items)
    assert (np.abs(vectors).max(axis=1) > 0.1).all()
    assert len(np.unique(vectors.round(4), axis=0)) == labels
    np.testing.assert_allclose(model.vectors(items), vectors, atol=1e-6)

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.data.catalog import Catalog, bare_catalog, read_catalog
from solidrec.data.features import check_given, feature_source, read_feature, read_features
from solidrec.data.prepare import prepare
from solidrec.data.readers import read_table
from solidrec.data.table import Table
from solidrec.errors import DataError, StorageError, UsageError

ITEMS = pl.Series("item", ["a", "b", "c"])


def catalog(frame: pl.DataFrame, items: pl.Series = ITEMS) -> Catalog:
    return read_catalog(read_table(frame), items, columns={})


def numbered(*index: int | None) -> Catalog:
    return catalog(pl.DataFrame({"item": ["a", "b", "c"][: len(index)], "item_idx": index}))


MATRIX = np.array([[1, 1], [2, 2], [3, 3]], dtype=np.float16)


@pytest.mark.parametrize(
    ("index", "matrix"),
    [
        ((2, 0, 1), MATRIX),  # counted from 0
        ((3, 1, 2), MATRIX),  # counted from 1
        ((3, 1, 2), np.vstack([np.zeros((1, 2)), MATRIX])),  # counted from 1, row 0 is padding
        ((2, 0, 1), np.vstack([MATRIX, MATRIX])),  # rows of items that are not in the file
    ],
)
def test_feature_rows_follow_item_idx(index: tuple[int, ...], matrix: np.ndarray) -> None:
    found, facts = read_feature(matrix, numbered(*index), name="image")
    assert found.tolist() == [[0, 0], [3, 3], [1, 1], [2, 2]]
    assert found.dtype == np.float32
    assert facts == {"width": 2, "items": 3, "missing": 0}


@pytest.mark.parametrize(("index", "start", "expected"), [((1, 2), 0, [2, 3]), ((1, 2), 1, [1, 2])])
def test_feature_start_settles_what_the_facts_leave_open(
    index: tuple[int, ...], start: int, expected: list[int]
) -> None:
    items = ITEMS.head(2)
    given = catalog(pl.DataFrame({"item": ["a", "b"], "item_idx": index}), items)
    with pytest.raises(
        DataError,
        match=r"item_idx runs from 1 to 2 and there are 3 rows, "
        r"which fits neither .*--feature-start 0 or 1",
    ):
        read_feature(MATRIX, given, name="image")
    assert read_feature(MATRIX, given, name="image", start=start)[0][1:, 0].tolist() == expected


@pytest.mark.parametrize("index", [(0, 1, 3), (-1, 0, 1), (2, 3, 4), (1, 2, 5)])
def test_an_item_idx_outside_the_matrix_is_an_error(index: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="fits neither"):
        read_feature(MATRIX, numbered(*index), name="image")


@pytest.mark.parametrize("index", [(0, 0, 1), (0, None, 1)])
def test_empty_and_repeated_item_idx_are_errors(index: tuple[int | None, ...]) -> None:
    with pytest.raises(DataError, match="empty or repeated"):
        read_feature(MATRIX, numbered(*index), name="image")


def test_without_item_idx_rows_go_by_the_order_of_the_items_file() -> None:
    given = catalog(pl.DataFrame({"item": ["c", "a", "b"]}))
    assert read_feature(MATRIX, given, name="image")[0].tolist() == [[0, 0], [2, 2], [3, 3], [1, 1]]
    with pytest.raises(DataError, match="has 2 rows, the items file 3; add an item_idx column"):
        read_feature(MATRIX[:2], given, name="image")


def test_items_without_catalogue_row_or_with_zeros_have_no_feature() -> None:
    found, facts = read_feature(np.array([[0, 0], [5, 6]]), numbered(0, 1), name="image")
    assert found.tolist() == [[0, 0], [0, 0], [5, 6], [0, 0]]
    assert facts == {"width": 2, "items": 1, "missing": 2}


def test_a_matrix_of_zeros_alone_is_no_feature_of_a_log(tmp_path: Path) -> None:
    log, items = (
        pl.DataFrame({"user": ["u"] * 3, "item": ["a", "b", "a"]}),
        pl.DataFrame({"item": ["a", "b"]}),
    )
    with pytest.raises(
        DataError, match="feature 'image': no item of the log has a row that is not all zero"
    ):
        prepare(
            log,
            items=items,
            features={"image": np.zeros((2, 2))},
            out=tmp_path / "data",
            order="file",
            negatives=0,
        )


@pytest.mark.parametrize(
    "matrix",
    [
        np.ones(3),
        np.ones((3, 1, 1)),
        np.array([["x"], ["y"], ["z"]]),
        np.ones((3, 0)),
        np.ones((3, 1), dtype=complex),
    ],
)
def test_a_feature_must_be_a_matrix_of_numbers(matrix: np.ndarray) -> None:
    with pytest.raises(DataError, match="a 2-d matrix of numbers"):
        read_feature(matrix, numbered(0, 1, 2), name="image")


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_a_feature_must_be_finite(value: float) -> None:
    with pytest.raises(DataError, match="NaN or infinite"):
        read_feature(np.array([[1.0], [value], [2.0]]), numbered(0, 1, 2), name="image")


def test_t10_only_plain_npy_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "image.npy"
    np.save(path, np.array([[{}]], dtype=object), allow_pickle=True)
    pickled = path.read_bytes()
    np.save(path, np.ones((3, 4)))
    for content in (pickled, path.read_bytes()[:-8], b"<html>not found</html>", b""):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"image.npy: is not a plain .npy array"):
            read_feature(path, numbered(0, 1, 2), name="image")


def test_features_need_an_items_file() -> None:
    with pytest.raises(UsageError, match="belong to an items file"):
        read_feature(MATRIX, bare_catalog(ITEMS), name="image")


def test_a_column_of_lists_is_a_feature_row_by_row(tmp_path: Path) -> None:
    """Also where the items file numbers rows of other matrices; a null is a missing feature."""
    items = pl.DataFrame(
        {"item": ["b", "a", "c"], "item_idx": [2, 0, 1], "clip": [[1.0, 2.0], None, [3.0, 4.0]]}
    )
    log = pl.DataFrame({"user": ["u"] * 3, "item": ["a", "b", "c"]})
    for source in (items, tmp_path / "items.parquet"):
        items.write_parquet(tmp_path / "items.parquet")
        made = prepare(
            log,
            items=source,
            features={"vec": "clip"},
            out=tmp_path / "data",
            order="file",
            negatives=0,
            overwrite=True,
        )
        assert made.features["vec"].tolist() == [[0, 0], [0, 0], [1, 2], [3, 4]]
    assert made.manifest["modalities"]["vec"] == {"width": 2, "items": 2, "missing": 1}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([[1.0, 2.0], [1.0]], "items:2: 'clip' has 1 numbers, another row 2"),
        (["1 2", "3 4"], "column 'clip' is of type String; lists of numbers are needed"),
        ([[], []], "lists of numbers are needed"),
        ([[], None], "lists of numbers are needed"),
        ([[1.0, None], [1.0, 2.0]], "NaN or infinite"),
    ],
)
def test_what_is_no_matrix_is_refused(values: list[Any], text: str) -> None:
    table = Table(pl.DataFrame({"item": ["a", "b"], "clip": values}).lazy(), "items")
    catalog = read_catalog(table, pl.Series("item", ["a", "b"]), columns={})

    def read() -> None:
        matrix, numbered = feature_source("clip", table, catalog)
        read_feature(matrix, numbered, name="vec")

    with pytest.raises(DataError, match=re.escape(text)):
        read()


@pytest.mark.parametrize("value", [1e-46, -1e-300])
def test_values_that_would_vanish_are_refused(value: float) -> None:
    with pytest.raises(DataError, match="would vanish in float32; scale them"):
        read_feature(np.array([[1.0], [value], [2.0]]), numbered(0, 1, 2), name="image")
    small = np.array([[1e-40, 0], [1.0, value], [2.0, 0]])  # beside others they are nothing
    assert read_feature(small, numbered(0, 1, 2), name="image")[1]["items"] == 3


def test_structured_arrays_are_refused_in_a_line() -> None:
    records = np.zeros((3, 2), dtype=[(f"f{number}", "f4") for number in range(500)])
    with pytest.raises(DataError, match=r"is records of shape \(3, 2\)"):
        read_feature(records, numbered(0, 1, 2), name="image")


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ({"f": [[1.0]] * 3}, "feature 'f' is a list; give a .npy file"),
        ({"f": None}, "feature 'f' is a NoneType"),
        ({"f": np.ma.masked_less(np.arange(6.0).reshape(3, 2), 2)}, "feature 'f' is a MaskedArray"),
        ({"f": pl.DataFrame({"a": [1.0]})}, "feature 'f' is a DataFrame"),
        ([("f", "f.npy")], "features are a list; give a mapping"),
        (MATRIX, "features are a ndarray; give a mapping"),
    ],
)
def test_what_is_no_path_and_no_array_is_refused_before_anything_is_read(
    tmp_path: Path, features: Any, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        check_given(features)
    items = pl.DataFrame({"item": ["a", "b", "c"]})
    with pytest.raises(UsageError, match=says):
        prepare(tmp_path / "absent.csv", items=items, features=features, out=tmp_path / "data")
    check_given({"f": "f.npy", "g": tmp_path, "h": MATRIX})


def test_a_path_that_is_not_there_is_no_column_either() -> None:
    for name in ("x.npy", "x" * 5_000, "nul\0.npy"):
        with pytest.raises(StorageError, match="no such file, and no column of the items file"):
            read_feature(name, numbered(0, 1, 2), name="image")


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_numpy_matrix_is_an_array_like_any_other() -> None:
    found, _ = read_feature(np.matrix(MATRIX), numbered(2, 0, 1), name="image")
    assert found.tolist() == [[0, 0], [3, 3], [1, 1], [2, 2]]


def test_items_without_a_feature_are_noted_and_hardly_any_with_one_is_an_error() -> None:
    items = pl.Series([f"i{number:02}" for number in range(30)])
    rows = catalog(pl.DataFrame({"item": items, "item_idx": range(30)}), items)
    matrix = np.zeros((90, 2))
    matrix[2:60] = 1

    def read() -> tuple[str, ...]:
        return read_features({"image": matrix}, None, rows, start=None).notes

    assert read() == (
        "feature 'image': 2 of 30 items of the log have no row or one of zeros, for example 'i00'",
    )
    matrix[2:28] = 0  # two of 30 items have one of 32 rows
    with pytest.raises(DataError, match="only 2 of the 30 items of the log have one of its 32 row"):
        read()
    matrix[30:] = 0  # few items have one, but all rows are theirs
    assert "28 of 30" in read()[0]
    matrix[:] = 0
    with pytest.raises(DataError, match="no item of the log has a row that is not all zero"):
        read()

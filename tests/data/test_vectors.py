"""Columns of number lists become matrices, from json too, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from solidrec.data.readers import read_table
from solidrec.data.table import Table
from solidrec.data.vectors import vector_column
from solidrec.errors import DataError


def jsonl(folder: Path, *values: str) -> Table:
    """A table of json lines with the `values` of a column vec; an empty one is a missing key."""
    lines = [f'{{"item": "a", "vec": {value}}}' if value else '{"item": "a"}' for value in values]
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n")
    return read_table(folder / "items.jsonl")


@pytest.mark.parametrize("kind", [pl.List(pl.Float64), pl.List(pl.Int8), pl.Array(pl.Float32, 2)])
def test_rows_are_those_of_the_table(kind: pl.DataType) -> None:
    frame = pl.DataFrame({"vec": pl.Series([[1, 2], None, [3, 4]], dtype=kind)})
    found = vector_column(Table(frame.lazy(), "items"), "vec")
    assert found.tolist() == [[1, 2], [0, 0], [3, 4]]


def test_json_numbers_are_read_as_they_are_written(tmp_path: Path) -> None:
    table = jsonl(tmp_path, "[0.5, 1]", "null", "", "[]", "[-1e-3, 2E2]")
    found = vector_column(table, "vec")
    assert found.tolist() == [[0.5, 1], [0, 0], [0, 0], [0, 0], [pytest.approx(-0.001), 200]]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("[[1, 2]]", "items.jsonl:3: 'vec' holds list of list; a feature is a list of numbers"),
        ('["1", "2"]', "items.jsonl:3: 'vec' holds list of text"),
        ("[1, true]", "items.jsonl:3: 'vec' holds list of true/false"),
        ("[1, null]", "items.jsonl:3: 'vec' holds list of null"),
        ("1", "items.jsonl:3: 'vec' holds integer"),
        ('"1 2"', "items.jsonl:3: 'vec' holds text"),
        ('{"x": 1}', "items.jsonl:3: 'vec' holds object"),
        ("[1]", "items.jsonl:3: 'vec' has 1 numbers, another row 2"),
    ],
)
def test_json_that_is_no_list_of_numbers_names_its_line(
    tmp_path: Path, value: str, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        vector_column(jsonl(tmp_path, "[1, 2]", "[3, 4]", value), "vec")


def test_text_of_other_tables_is_no_vector() -> None:
    table = Table(pl.DataFrame({"vec": [["1", "2"]]}).lazy(), "items")
    with pytest.raises(DataError, match=r"is of type List\(String\); lists of numbers are needed"):
        vector_column(table, "vec")

"""Features are encoded from Python as by the command; embeddings of a run are features too."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from solidrec.api import load
from solidrec.data.catalog import Catalog, read_catalog
from solidrec.data.encoded import read_facts
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.data.readers import read_table
from solidrec.encoding import _as_numbered, encode, encode_items_file
from solidrec.errors import DataError, UsageError


@pytest.fixture
def copy(data: PreparedData, tmp_path: Path) -> Path:
    shutil.copytree(data.path, tmp_path / "copy")
    return tmp_path / "copy"


def test_python_does_the_same(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = encode(copy, text="minilm", text_columns=["title", "categories"], progress=False)
    assert opened.encoded.keys() == {"text"}
    assert encode(opened, text="minilm", name="more", progress=False).encoded.keys() == {
        "text",
        "more",
    }
    assert capsys.readouterr() == ("", "")
    with pytest.raises(UsageError, match="nothing to encode"):
        encode(opened)


def test_the_item_embeddings_of_a_run_are_a_feature(copy: Path, run_folder: Path) -> None:
    found = encode(copy, behaviour=run_folder, progress=False)
    run = load(run_folder).run
    np.testing.assert_array_equal(
        found.features["behaviour"], run.model.items.weight.detach().numpy()
    )
    facts = read_facts(copy, "behaviour")
    assert (facts["encoded"], facts["missing"]) == (40, {"unknown_item": 0})
    assert facts["encoder"] == f"item embeddings of {run.manifest['digest']}"


def other_items(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]], out: Path, known: int
) -> PreparedData:
    """Data of the walk whose items have other names, but for the first few of the catalogue."""
    log, items = walk(users=20)
    kept = items["item"].head(known).to_list()
    renamed = (
        pl.when(pl.col("item").is_in(kept)).then("item").otherwise(pl.lit("x") + pl.col("item"))
    )
    return prepare(log.with_columns(item=renamed), out=out)


def test_an_item_that_the_run_does_not_know_has_no_vector(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]], run_folder: Path, tmp_path: Path
) -> None:
    data = other_items(walk, tmp_path / "data", known=30)
    found = encode(data, behaviour=run_folder, name="clicks", progress=False)
    run = load(run_folder).run
    table = run.model.items.weight.detach().numpy()
    unknown = 0
    for row, item in zip(found.features["clicks"][1:], found.catalog["item"], strict=True):
        assert row.any() == (not item.startswith("x"))
        unknown += item.startswith("x")
        np.testing.assert_array_equal(row, table[run.items.index(item)])
    assert read_facts(data.path, "clicks")["missing"] == {"unknown_item": unknown}
    strangers = other_items(walk, tmp_path / "strangers", known=0)
    with pytest.raises(DataError, match=r"knows none of the \d+ items of .*same catalogue"):
        encode(strangers, behaviour=run_folder, progress=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "content"}, "already, which was given to prepare"),
        ({"name": "id"}, "and not 'id'"),
        ({"name": "x", "text": "minilm"}, "names one feature matrix, and more are to be made"),
    ],
)
def test_a_name_is_free_and_of_one_matrix(
    copy: Path, run_folder: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        encode(copy, behaviour=run_folder, progress=False, **options)
    assert PreparedData.open(copy).encoded == {}


def test_a_file_of_items_is_no_prepared_folder(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item,title\na,b\n")
    with pytest.raises(UsageError, match="is a file, not a prepared folder"):
        encode(tmp_path / "items.csv", text="minilm")
    for options in ({}, {"text": "minilm", "images": tmp_path}):
        with pytest.raises(UsageError, match="a file of items becomes one matrix"):
            encode_items_file(tmp_path / "items.csv", tmp_path / "out.npy", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "out.npy").exists()


def test_torchs_threads_are_put_back_after_an_error(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item,title\na,b\n")
    before = torch.get_num_threads()
    wrong = {"text": "minilm", "threads": before + 1, "device": "abacus", "progress": False}
    with pytest.raises(UsageError, match="--device abacus"):
        encode(copy, **wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="--device abacus"):
        encode_items_file(tmp_path / "items.csv", tmp_path / "out.npy", **wrong)  # type: ignore[arg-type]
    assert torch.get_num_threads() == before


def catalog_of(numbers: list[int] | None) -> Catalog:
    table = read_table(
        pl.DataFrame({"item": ["a", "b", "c"]} | ({"item_idx": numbers} if numbers else {}))
    )
    columns = {"item_idx": "item_idx"} if numbers else {}
    return read_catalog(table, pl.Series(["a", "b", "c"]), columns=columns)


@pytest.mark.parametrize(
    ("numbers", "places"),
    [
        (None, [1, 2, 3]),
        ([2, 0, 1], [2, 3, 1]),
        ([3, 1, 2], [2, 3, 1]),
        ([2, 5, 4], [0, 1, 0, 3, 2]),
    ],
)
def test_vectors_stand_where_item_idx_says(numbers: list[int] | None, places: list[int]) -> None:
    """Numbers start at 0 if one is 0, else at 1; `places` are the vectors in order, 0 for a gap."""
    vectors = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]], dtype=np.float32)
    found = _as_numbered(vectors, catalog_of(numbers))
    assert found[:, 0].tolist() == places
    assert found[:, 1].tolist() == [10 * place for place in places]


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ([1, None, 2], "empty or repeated"),
        ([1, 1, 2], "empty or repeated"),
        ([-1, 0, 1], "from -1 to 1 for 3 items"),
        ([1, 2, 10**12], "from 1 to 1,000,000,000,000 for 3 items"),
    ],
)
def test_numbers_that_number_no_rows_are_refused_before_the_work(
    tmp_path: Path, numbers: list[int | None], says: str
) -> None:
    items = pl.DataFrame({"item": ["a", "b", "c"], "title": ["x"] * 3, "item_idx": numbers})
    with pytest.raises(DataError, match=says):
        encode_items_file(items, tmp_path / "out.npy", text="minilm", progress=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": 5},
        {"text": "minilm", "name": 5},
        {"text": "minilm", "text_columns": 5},
        {"text": "minilm", "text_columns": "title"},
        {"text": "minilm", "max_unusable": "x"},
        {"text": "minilm", "cache": 5},
        {"images": ".", "image_encoder": 5},
        {"images": ".", "image_settings": 5},
    ],
)
def test_an_argument_of_another_kind_is_named(copy: Path, wrong: dict[str, Any]) -> None:
    name, value = list(wrong.items())[-1]
    with pytest.raises(UsageError, match=f"^{name}={value!r}: give a"):
        encode(copy, progress=False, **wrong)

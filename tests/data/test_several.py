"""Several files are one log, and every error names the right file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec import prepare
from solidrec.data.readers import read_table
from solidrec.data.several import joined, paths_of
from solidrec.data.table import Place
from solidrec.errors import DataError, StorageError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    first = 'user,item,timestamp,note\na,x,1,"two\nlines"\na,y,2,\nb,x,1,\n'
    (tmp_path / "log-1.csv").write_text(first)
    (tmp_path / "log-2.csv").write_text("timestamp,user,item\n3,b,z\n2,b,y\n9,a,w\n")
    return tmp_path


def test_a_list_or_a_pattern_is_one_log(folder: Path) -> None:
    paths = [folder / "log-1.csv", folder / "log-2.csv"]
    for number, source in enumerate((paths, str(folder / "log-*.csv"), tuple(map(str, paths)))):
        data = prepare(source, out=folder / f"data{number}", negatives=1)
        assert [data.items.id(int(item)) for item in data.event_items] == list("xywxyz")
        assert data.manifest["source"] == "log-1.csv + log-2.csv"
        assert data.manifest["rows"]["in"] == 6


def test_equal_times_keep_the_order_of_the_files(folder: Path) -> None:
    (folder / "log-2.csv").write_text("user,item,timestamp\na,z,2\nb,q,1\nb,y,1\n")
    for paths, ids in ((["log-1", "log-2"], "xyzxqy"), (["log-2", "log-1"], "xzyqyx")):
        files = [folder / f"{name}.csv" for name in paths]
        data = prepare(files, out=folder / paths[0], negatives=1)
        assert [data.items.id(int(item)) for item in data.event_items] == list(ids)


def test_every_row_has_its_own_file_and_line(folder: Path) -> None:
    paths = [folder / "log-1.csv", folder / "log-2.csv"]
    table = joined([read_table(path) for path in paths])
    first, second = map(str, paths)
    lines = [(first, 2), (first, 4), (first, 5), (second, 2), (second, 3), (second, 4)]
    assert table.places(range(6)) == [Place(*line) for line in lines]
    assert table.places([4, 0, 4]) == [Place(second, 3), Place(first, 2), Place(second, 3)]


def test_a_bad_row_is_named_and_set_aside_with_its_file(folder: Path) -> None:
    bad = folder / "log-2.csv"
    bad.write_text('user,timestamp,item,note\nb,3,z,"a\nb"\nb,oops,y,\n,9,w,\n')
    paths = [folder / "log-1.csv", bad]
    with pytest.raises(DataError) as caught:
        prepare(paths, out=folder / "data")
    assert f"{bad}:4 'oops'" in str(caught.value)
    assert f"null_user (1): {bad}:5" in str(caught.value)
    quarantine: dict[str, Any] = {"on_bad_row": "quarantine", "max_bad_fraction": 0.5}
    prepare(paths, out=folder / "data", split="none", negatives=0, **quarantine)
    rejected = pl.read_parquet(folder / "data" / "rejected.parquet")
    assert rejected.select("file", "row").rows() == [(str(bad), 4), (str(bad), 5)]


def test_a_column_that_one_file_lacks_is_empty_there(folder: Path) -> None:
    (folder / "log-2.csv").write_text("user,item\nb,z\n")
    with pytest.raises(DataError, match=r"null_time \(1\): .*log-2.csv:2"):
        prepare(str(folder / "log-?.csv"), out=folder / "data")


def test_files_of_other_types_are_one_log_if_their_columns_are_alike(folder: Path) -> None:
    (folder / "log.jsonl").write_text('{"user": "a", "item": "q", "timestamp": 10}\n')
    data = prepare(
        [folder / "log-1.csv", folder / "log-2.csv", folder / "log.jsonl"],
        out=folder / "data",
        negatives=1,
    )
    assert data.items.id(int(data.event_items[3])) == "q"
    pl.DataFrame({"user": ["a"], "item": ["k"], "timestamp": [1]}).write_parquet(
        folder / "p.parquet"
    )
    with pytest.raises(
        DataError, match=r"p.parquet: column 'timestamp' is of type Int64, in .*csv"
    ):
        prepare([folder / "log-1.csv", folder / "p.parquet"], out=folder / "other")


def test_integers_of_several_widths_are_alike() -> None:
    small = pl.DataFrame({"t": [1]}, schema={"t": pl.Int8})
    large = pl.DataFrame({"t": [2**62]})
    empty = pl.DataFrame({"t": [None]})
    table = joined([read_table(frame) for frame in (small, large, empty)])
    assert table.collect(pl.col("t"))["t"].to_list() == [1, 2**62, None]


def test_ids_that_mix_text_and_numbers_name_both_files(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"user": "1", "item": "x", "timestamp": 1}\n')
    (tmp_path / "b.jsonl").write_text('\n{"user": 1, "item": "x", "timestamp": 1}\n'.lstrip())
    with pytest.raises(DataError, match=r"text \(.*a.jsonl:1\)|integer \(.*b.jsonl:1\)") as caught:
        prepare(str(tmp_path / "*.jsonl"), out=tmp_path / "data")
    assert "a.jsonl:1" in str(caught.value)
    assert "b.jsonl:1" in str(caught.value)


def test_a_broken_file_among_several_is_named(folder: Path) -> None:
    (folder / "log-2.csv").write_text("user,item,timestamp\na,b,3,4\n")
    with pytest.raises(DataError, match=r"log-2.csv:2: has 4 fields, 3 are needed"):
        prepare(str(folder / "log-*.csv"), out=folder / "data")


def test_d24_a_pattern_without_a_file_is_one_line(folder: Path) -> None:
    with pytest.raises(
        StorageError, match=r"no-\*.csv: no such file, and no file fits it"
    ) as caught:
        prepare(str(folder / "no-*.csv"), out=folder / "data")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_called_like_a_pattern_is_that_file(folder: Path) -> None:
    odd = folder / "log-[12].csv"
    odd.write_bytes((folder / "log-2.csv").read_bytes())
    assert paths_of(odd) is None
    assert paths_of(str(folder / "log-[13].csv")) == [folder / "log-1.csv"]


@pytest.mark.parametrize("given", [[], [1], [{"user": 1}], [pl.DataFrame({"user": ["a"]})]])
def test_a_list_of_anything_else_is_refused(given: Any) -> None:
    with pytest.raises(UsageError, match="a list of paths"):
        paths_of(given)

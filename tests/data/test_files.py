from __future__ import annotations

import gzip
import os
from pathlib import Path

import polars as pl
import pytest

from solidrec.data.files import kind_of, readable
from solidrec.data.readers import read_table
from solidrec.errors import DataError, StorageError, UsageError


def test_d18_a_damaged_gzip_is_an_error(tmp_path: Path) -> None:
    whole = gzip.compress(os.urandom(5000).hex().encode())
    for damaged in (whole[:-9], whole[: len(whole) // 2], whole[:-8] + b"\0" * 8, b"plain text"):
        (tmp_path / "log.csv.gz").write_bytes(damaged)
        with pytest.raises(DataError, match="not a whole gzip file"):
            read_table(tmp_path / "log.csv.gz")


def test_d19_a_gzip_that_unpacks_to_far_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solidrec.data.files._SMALL", 1 << 20)
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(b"a,b\n" * (1 << 20)))
    with pytest.raises(DataError, match="unpacks to more than"):
        read_table(tmp_path / "log.csv.gz")


@pytest.mark.parametrize(
    "name",
    ["punycode", "idna", "undefined", "unicode_escape", "rot13", "base64", "a\0b", "x" * 5000],
)
def test_what_is_no_character_set_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "log.csv").write_bytes(b"user,item\n\xff\xfea,b\n")
    with pytest.raises(UsageError, match="unknown encoding") as caught:
        read_table(tmp_path / "log.csv", encoding=name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("path", ["x" * 5000, "x/" * 3000, "a\0b.csv"])
def test_what_cannot_be_a_path_is_refused_in_one_line(path: str) -> None:
    with pytest.raises(StorageError, match="is no path") as caught:
        kind_of(Path(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_d24_a_path_is_a_file_or_said_to_be_something_else(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    assert kind_of(tmp_path / "file") == kind_of(tmp_path / "link") == "file"
    assert kind_of(tmp_path) == "is a folder, a file is needed"
    assert kind_of(tmp_path / "pipe") == "is not a regular file"
    assert kind_of(tmp_path / "none") == kind_of(tmp_path / "file" / "x") == "no such file"
    assert "link that leads to itself" in kind_of(tmp_path / "loop")


@pytest.mark.parametrize("end", ["\n", "\n\n", "\r\n\r\n", "\n  \n\n", "\n  "])
@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.csv.gz", "log.jsonl"])
def test_blank_last_lines_are_no_rows(tmp_path: Path, name: str, end: str) -> None:
    line = '{"user": "a"}' if "jsonl" in name else "user\na"
    content = (line + end).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    table = read_table(tmp_path / name)
    assert table.collect(pl.all()).rows() == [("a",)]
    assert table.notes == ()


def test_a_blank_line_between_rows_is_no_last_line(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item\n\na,x\n")
    assert len(read_table(tmp_path / "log.csv").collect(pl.all())) == 2


@pytest.mark.parametrize("kind", [pl.exceptions.ComputeError, pl.exceptions.PanicException])
def test_d20_an_error_of_polars_is_one_line_that_names_the_file(kind: type[BaseException]) -> None:
    """Some damaged Parquet files make polars panic, which is no `Exception`."""
    with (
        pytest.raises(DataError, match=r"log.parquet: cannot be read \(pages") as caught,
        readable("log.parquet"),
    ):
        raise kind("pages lie outside\nbacktrace")
    assert "\n" not in str(caught.value)

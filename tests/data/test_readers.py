from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from solidrec.data.columns import id_column
from solidrec.data.readers import READERS, read_table
from solidrec.data.table import Table
from solidrec.errors import DataError, StorageError, UsageError

ODD_IDS = [
    "007",
    "NA",
    "null",
    "None",
    "1e5",
    "true",
    str(2**63 + 1),
    "é",
    "e\u0301",
    "trailing ",
    "💡",
]
CSV = ("user,item\n" + "".join(f"{name},i\n" for name in ODD_IDS)).encode()


def column(source: object, name: str = "user", **options: str) -> list[str | None]:
    table = read_table(source, **options)
    return table.collect(id_column(table, name, name))[name].to_list()


@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.csv.gz", "log.tsv.gz"])
def test_d6_d8_ids_survive_text_files_exactly(tmp_path: Path, name: str) -> None:
    content = CSV.replace(b",", b"\t") if "tsv" in name else CSV
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert column(tmp_path / name) == ODD_IDS


def test_d6_ids_survive_jsonl_parquet_and_frames_exactly(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user": ODD_IDS})
    frame.write_ndjson(tmp_path / "log.jsonl")
    frame.write_parquet(tmp_path / "log.parquet")
    pandas = pd.DataFrame({"user": ODD_IDS})
    for source in (tmp_path / "log.jsonl", tmp_path / "log.parquet", frame, frame.lazy(), pandas):
        assert column(source) == ODD_IDS


def test_d7_large_integers_survive_and_floats_are_refused(tmp_path: Path) -> None:
    big = [2**53 + 1, None, 2**63 - 1]
    expected = [str(2**53 + 1), None, str(2**63 - 1)]
    pl.DataFrame({"user": big}).write_parquet(tmp_path / "log.parquet")
    assert column(tmp_path / "log.parquet") == expected
    assert column(pd.DataFrame({"user": pd.array(big, dtype="Int64")})) == expected
    with pytest.raises(
        DataError, match=r"user column 'user' is of type Float64.*read the ids as strings"
    ):
        column(pd.DataFrame({"user": [1.0, None]}))


def test_a_pandas_column_that_mixes_types_is_refused_as_ids_only() -> None:
    frame = pd.DataFrame({"user": ["a", "b"], "note": ["x", 1]}, dtype=object)
    assert column(frame) == ["a", "b"]
    with pytest.raises(DataError, match="note column 'note' is of type Object"):
        column(frame, "note")


def test_d21_json_ids_that_mix_text_and_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"user": "1"}\n{"user": 1}\n')
    with pytest.raises(
        DataError, match=r"user column 'user' holds text \(.*:1\), integer \(.*:2\)"
    ):
        column(path)
    path.write_text('{"user": 1.0}\n')
    with pytest.raises(DataError, match=r"holds number \(.*:1\)"):
        column(path)


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log.jsonl"])
def test_d9_invalid_utf8_names_the_byte_and_the_option(tmp_path: Path, name: str) -> None:
    head = b"x" * (
        1 << 20
    )  # the bad byte lies behind the first block, and a character is cut by its end
    content = head + "é".encode() + b"Jos\xe9\n"
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    where = f"{len(head) + 2 + 3:,}"
    with pytest.raises(
        DataError, match=f"{name}: byte {where} is not valid utf-8 .*--encoding latin-1"
    ):
        read_table(tmp_path / name)


def test_d9_a_truncated_character_at_the_end_is_named(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(b"user\nJos\xc3")
    with pytest.raises(DataError, match="byte 8 is not valid utf-8"):
        read_table(tmp_path / "log.csv")


def test_d9_other_encodings_are_read_when_named(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes("user\nJosé\nJosè\n".encode("latin-1"))
    assert column(path, encoding="latin-1") == ["José", "Josè"]
    path.write_bytes("user\nJosé\n".encode("utf-16"))
    assert column(path, encoding="utf-16") == ["José"]
    with pytest.raises(DataError, match=r"byte 0 .*--encoding utf-16"):
        read_table(path)
    for encoding in ("utf8-lossi", "base64"):
        with pytest.raises(UsageError, match="unknown encoding"):
            read_table(path, encoding=encoding)


def test_d9_d17_byte_order_mark_crlf_and_quoted_line_ends_are_fine(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(b'\xef\xbb\xbfuser,title\r\nann,"two\r\nlines"\r\nbob,x\r\n')
    assert column(tmp_path / "log.csv") == ["ann", "bob"]


@pytest.mark.parametrize(
    "content", [b"user,item\na,b,c\n", b"title,user,item\nA, B,a,b\n", b'user,item\na,"b\nc,d\n']
)
def test_d17_ragged_rows_and_open_quotes_are_errors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"log.csv:2: has"):
        column(tmp_path / "log.csv")


def test_tab_separated_text_may_hold_a_lone_quotation_mark(tmp_path: Path) -> None:
    (tmp_path / "log.tsv").write_text('user\ttitle\na\t"x\nb\ty\n')
    assert column(tmp_path / "log.tsv") == ["a", "b"]


def test_d17_a_last_line_without_end_is_noted(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user\nann\n")
    assert read_table(tmp_path / "log.csv").notes == ()
    (tmp_path / "log.csv").write_text("user\nan")
    assert "no line end" in read_table(tmp_path / "log.csv").notes[0]


def test_d20_a_damaged_parquet_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pl.DataFrame({"user": ["a"] * 100}).write_parquet(path)
    for damaged in (path.read_bytes()[:-20], b"PAR1 but nothing else"):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="cannot be read"):
            read_table(path)


def test_d24_paths_that_are_no_file_get_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    cases = {
        "": "is a folder",
        "none.csv": "no such file",
        "*.csv": "no such file",
        "pipe.csv": "not a regular file",
    }
    for name, says in (cases | {"loop.csv": "no such file"}).items():
        with pytest.raises(StorageError, match=re.escape(says)) as caught:
            read_table(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(StorageError, match="no such file"):
        read_table("s3://bucket/log.csv")


def test_unknown_types_and_empty_files_are_errors(tmp_path: Path) -> None:
    (tmp_path / "log.xlsx").write_text("x")
    with pytest.raises(UsageError, match=r"unknown file type '.xlsx'; give one of .csv"):
        read_table(tmp_path / "log.xlsx")
    (tmp_path / "log.csv").touch()
    with pytest.raises(DataError, match="is empty"):
        read_table(tmp_path / "log.csv")


def test_a_reader_of_another_package_is_found_by_suffix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        READERS, ".arrow", lambda path, encoding: Table(pl.scan_ipc(path), str(path))
    )
    pl.DataFrame({"user": ODD_IDS}).write_ipc(tmp_path / "log.ARROW")
    assert column(tmp_path / "log.ARROW") == ODD_IDS
    (tmp_path / "log.arow").write_bytes(CSV)
    with pytest.raises(UsageError, match=r"'.arow'; give one of .csv, .*, .arrow \(text also"):
        read_table(tmp_path / "log.arow")


def test_a_suffix_is_never_taken_for_a_place(tmp_path: Path) -> None:
    (tmp_path / "log.os:system").write_bytes(CSV)
    with pytest.raises(UsageError, match=r"unknown file type '\.os:system'"):
        read_table(tmp_path / "log.os:system")

"""Separators, headers and the lines of records, against Python's own csv reader."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidrec.data.csv_text import (
    broken_record,
    record_lines,
    repeated_names,
    separator_of,
    sniffed,
)
from solidrec.data.readers import read_table
from solidrec.errors import DataError, UsageError


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("user,item\na,x\n", ","),
        ("user;item\na;x\n", ";"),
        ("user\titem\na\tx,y\n", "\t"),
        ("user|item|t\na|x|1;5\n", "|"),
        ("user;item;t\na;x;1,5\nb;y;2\n", ";"),
        ('user;note\na;"x;\ny"\n', ";"),
        ("user,a|b|c\nx,1|2|3\n", ","),  # the comma goes first
        ("user\na\n", ","),
        ("user item\na x\n", ","),
        ("user;item\na;b;c\n", ","),  # rows of unequal width speak for nothing
        ("\ufeffuser;item\n", ";"),
        ("", ","),
    ],
)
def test_the_first_lines_say_the_separator(text: str, separator: str) -> None:
    assert sniffed(io.BytesIO(text.encode())) == separator


def test_the_choice_is_noted_and_a_given_delimiter_is_not_questioned(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user;item\na;x\n")
    assert read_table(path).notes == ("log.csv: fields are taken as separated by ';'",)
    assert read_table(path).columns == ["user", "item"]
    assert read_table(path, delimiter=";").notes == ()
    assert read_table(path, delimiter=",").columns == ["user;item"]
    (tmp_path / "log.txt").write_text('user\titem\na\t"x\ty"\n')
    assert read_table(tmp_path / "log.txt", delimiter="tab").collect(pl.all()).rows() == [
        ("a", "x\ty")
    ]


@pytest.mark.parametrize("name", ["", "::", "é", '"', "\n", "\0"])
def test_a_delimiter_is_one_character(name: str) -> None:
    with pytest.raises(UsageError, match="is not one character") as caught:
        separator_of(name)
    assert "\n" not in str(caught.value)


def test_repeated_names_of_a_header() -> None:
    assert repeated_names(io.BytesIO(b'a,"b",b,c\n'), ",", '"') == {"b"}
    assert repeated_names(io.BytesIO(b'"b"\tb\n'), "\t", None) == frozenset()
    assert repeated_names(io.BytesIO(b"\n\na,a\n"), ",", '"') == {"a"}


FIELDS = st.text(st.sampled_from(["a", "\n", '"', ","]), max_size=6)


@given(st.lists(st.tuples(FIELDS, FIELDS), min_size=1, max_size=8), st.integers(0, 2))
def test_a_record_begins_where_pythons_reader_says(rows: list[tuple[str, str]], blank: int) -> None:
    out = io.StringIO()
    out.write("\n" * blank)
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("u", "i"), *rows])
    text = out.getvalue()
    reader = csv.reader(io.StringIO(text, newline=""))
    begins, before = [], 0
    for record in reader:
        if record:
            begins.append(before + 1)
        before = reader.line_num
    content = io.BytesIO(text.encode())
    found = record_lines(content, range(len(rows)), header=True)
    assert found == begins[1:]
    assert record_lines(content, [len(rows) - 1], header=True) == begins[-1:]
    assert pl.read_csv(content, infer_schema=False).height == len(rows)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('u,i\na,"b\nc"\nd,e,f\n', 4, "has 3 fields, 2 are needed"),
        ('u,i\na,b\nc,"d\ne,f\n', 3, "a quotation mark that is not closed"),
        ("u,i,t\na,b\nc,d,e,f\n", 3, "has 4 fields, 3 are needed"),  # too few are empty ones
    ],
)
def test_d17_a_broken_record_is_named_by_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text)
    found = broken_record(path, ",", '"')
    assert found is not None
    assert found[0] == line
    assert says in found[1]
    with pytest.raises(DataError, match=f"log.csv:{line}: .*{says}.*; repair the line") as caught:
        read_table(path).collect(pl.all())
    assert "\n" not in str(caught.value)


def test_a_whole_file_has_no_broken_record() -> None:
    content = io.BytesIO(b'u\ti\na\t"b\n')
    assert broken_record(content, "\t", None) is None
    assert content.read() == b'u\ti\na\t"b\n'  # nothing was read or closed


def test_lines_are_counted_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'u,i\n"a\nb",x\nc,"d\n\n"\ne,f\n'
    for size in range(1, 12):
        monkeypatch.setattr("solidrec.data.csv_text._BLOCK", size)
        lines = record_lines(io.BytesIO(("\n" + text).encode()), [2, 0, 1], header=True)
        assert lines == [8, 3, 5]

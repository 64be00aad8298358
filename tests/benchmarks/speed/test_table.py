from __future__ import annotations

from dataclasses import replace

from speed.measurement import Row, Sample, rows_of
from speed.table import markdown, table_lines


def rows() -> list[Row]:
    one = rows_of("train/a", [Sample(1_000, 1, 2, 300)], unit="positives", threads=1, memory=True)
    two = rows_of("train/a", [Sample(1_000, 2, 1, 400)], unit="positives", threads=2, memory=True)
    one[0] = replace(one[0], peer="peer", ratio=1.25, floor_percent=12.34)
    return (
        one
        + two
        + rows_of("start", [Sample(1, 0.05, 0.07, 30)], unit="start", threads=1, shown="ms")
    )


def test_one_line_a_subject_with_every_clock_and_number_of_threads() -> None:
    heads, (train, start) = table_lines(rows())
    assert dict(zip(heads, train, strict=True)) == {
        "": "train/a",
        "unit": "positives/s",
        "1 thread, CPU": "1,000",
        "1 thread, wall": "500",
        "2 threads, CPU": "500",
        "2 threads, wall": "1,000",
        "peak MB": "300",
        "x peer": "1.25",
        "peer": "peer",
        "% of floor": "12.3",
    }
    assert start[:6] == ["start", "ms/start", "50.0", "70.0", "-", "-"]


def test_what_a_call_adds_in_memory_stands_behind_the_peak() -> None:
    found = rows_of(
        "search", [Sample(1, 1, 1, 300, 12)], unit="call", threads=1, shown="ms", memory=True
    )
    heads, (line,) = table_lines(found)
    assert line[heads.index("peak MB")] == "300 (+12)"


def test_the_page_has_a_row_for_each_line() -> None:
    lines = markdown(rows()).splitlines()
    assert len(lines) == 2 + 2
    assert {line.count("|") for line in lines} == {11}

from __future__ import annotations

import pytest

from speed.measurement import Row, Sample, rows_of, timed


def test_a_rate_has_two_clocks() -> None:
    """Ten positives in two CPU-seconds and one second on the wall, then twenty in the same time."""
    samples = [Sample(10, 2, 1, 5), Sample(20, 2, 1, 7), Sample(20, 2, 1, 6)]
    cpu, wall = rows_of("train", samples, unit="positives", threads=2)
    assert (cpu.value, cpu.unit, cpu.low, cpu.high) == (20 / 2, "positives/cpu-s", 10 / 2, 20 / 2)
    assert (wall.value, wall.unit, wall.threads) == (20 / 1, "positives/s", 2)


def test_a_latency_is_milliseconds_of_a_call() -> None:
    cpu, wall = rows_of("score", [Sample(100, 0.2, 0.5, 5)], unit="call", threads=1, shown="ms")
    assert (cpu.value, cpu.unit) == (0.2 / 100 * 1000, "ms cpu/call")
    assert (wall.value, wall.unit) == (0.5 / 100 * 1000, "ms/call")


def test_memory_is_the_highest() -> None:
    samples = [Sample(1, 1, 1, 300, 20), Sample(1, 1, 1, 310, 5)]
    memory = [
        row
        for row in rows_of("search", samples, unit="call", threads=1, shown="ms", memory=True)
        if "MB" in row.unit
    ]
    assert [(row.unit, row.value) for row in memory] == [("MB peak", 310), ("MB extra", 20)]


@pytest.mark.parametrize(
    ("unit", "more"),
    [
        ("positives/cpu-s", True),
        ("users/s", True),
        ("ms/call", False),
        ("ms cpu/call", False),
        ("MB peak", False),
    ],
)
def test_what_is_better(unit: str, more: bool) -> None:
    assert Row("a", 1, unit, 1, 1, 1).more_is_better is more


def test_time_is_that_of_the_call() -> None:
    called = []
    found = timed(7, lambda: called.append(sum(range(200_000))))
    assert len(called) == 1
    assert found.work == 7
    assert 0 < found.cpu
    assert 0 < found.wall

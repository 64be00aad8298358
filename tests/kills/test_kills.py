"""Killed by SIGKILL at any change on disk, a command that is called again ends as if never killed.

``make kills`` tries every point; the quick tests try a few.
"""

from __future__ import annotations

from typing import Any

import pytest

SLOW = "experiment"  # each of its workers imports everything anew


def check(forks: Any, place: Any, words: list[str], at: int, expected: dict[str, Any]) -> None:
    """Kill a command at its change `at`, call it again, and compare."""
    code, changes, said = forks.run(place.fresh(), words, at)
    assert code == -9, (code, said)
    forks.again(place, words, expected, (at, changes[-1]))


def test_t1_t2_d1_killed_at_some_points(forks: Any, place: Any, command: list[str]) -> None:
    expected, changes = forks.whole(place, command)
    count = len(changes)
    assert count >= 8
    for at in (count // 2, count - 2):
        check(forks, place, command, at, expected)


@pytest.mark.kills
def test_t1_t2_d1_killed_at_every_point(forks: Any, place: Any, command: list[str]) -> None:
    expected, changes = forks.whole(place, command)
    for at in range(1, len(changes) + 1):
        check(forks, place, command, at, expected)


@pytest.mark.kills
def test_t22_an_experiment_killed_at_every_point(
    forks: Any, place: Any, commands: dict[str, list[str]]
) -> None:
    expected, changes = forks.whole(place, commands[SLOW])
    for at in range(1, len(changes) + 1):
        check(forks, place, commands[SLOW], at, expected)

"""Killed by SIGKILL at any change on disk, a command that is called again ends as if never killed.

``make kills`` tries every point; the quick tests try a few.
"""

from __future__ import annotations

from typing import Any

import pytest

COMMANDS = ("prepare", "prepare-over", "train", "train-over", "encode", "items-add", "search")
SLOW = "experiment"  # each of its workers imports everything anew
LITTER = (".tmp-", ".old-", ".lock")


def whole(forks: Any, place: Any, words: list[str]) -> tuple[dict[str, Any], list[str]]:
    """What an uninterrupted call leaves, and its changes on disk."""
    code, changes, said = forks.run(place.fresh(), words)
    assert code == 0, said
    return place.tree(), changes


def litter(tree: dict[str, Any]) -> list[str]:
    """What should not be left over."""
    return [name for name in tree if any(part in name for part in LITTER)]


def check(forks: Any, place: Any, words: list[str], at: int, expected: dict[str, Any]) -> None:
    """Kill a command at its change `at`, call it again, and compare."""
    folder = place.fresh()
    code, changes, said = forks.run(folder, words, at)
    assert code == -9, (code, said)
    last = changes[-1]
    code, _, said = forks.run(folder, words)
    known = words[0] == "items" and "knows all of its 1 items already" in said
    assert code == 0 or (code == 2 and known), (at, last, said)
    found = place.tree()
    assert litter(found) == [], (at, last)
    assert found.keys() == expected.keys(), (at, last)
    other = [name for name in found if found[name] != expected[name]]
    assert other == [], (at, last)


@pytest.fixture(scope="module", params=COMMANDS)
def command(request: pytest.FixtureRequest, commands: dict[str, list[str]]) -> list[str]:
    return commands[request.param]


def test_t1_t2_d1_killed_at_some_points(forks: Any, place: Any, command: list[str]) -> None:
    expected, changes = whole(forks, place, command)
    assert litter(expected) == []
    count = len(changes)
    assert count >= 8
    for at in (count // 2, count - 2):
        check(forks, place, command, at, expected)


@pytest.mark.kills
def test_t1_t2_d1_killed_at_every_point(forks: Any, place: Any, command: list[str]) -> None:
    expected, changes = whole(forks, place, command)
    for at in range(1, len(changes) + 1):
        check(forks, place, command, at, expected)


@pytest.mark.kills
def test_t22_an_experiment_killed_at_every_point(
    forks: Any, place: Any, commands: dict[str, list[str]]
) -> None:
    expected, changes = whole(forks, place, commands[SLOW])
    for at in range(1, len(changes) + 1):
        check(forks, place, commands[SLOW], at, expected)

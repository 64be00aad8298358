"""A disk that fails or is full: one line, exit code 74, nothing old is harmed, the next call works.

``make kills`` fails every change on disk, and fills a disk to many levels.
"""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

KIB = 1024


def refused(code: int, said: str) -> bool:
    """Whether a command ended as it should where a disk refuses it."""
    errors = [line for line in said.splitlines() if line.startswith("error")]
    return code == 74 and len(errors) == 1 and "Traceback" not in said


def without(tree: dict[str, Any], *names: str) -> dict[str, Any]:
    """A tree without some of its files."""
    return {name: one for name, one in tree.items() if name not in names}


def not_kept(said: str, expected: dict[str, Any]) -> list[str]:
    """The files of a cache that a command could not write, and says so."""
    told = "semantics: not kept beside the data" in said
    return [name for name in expected if told and name.startswith("data/semantics/")]


def not_removed(place: Any, found: dict[str, Any], change: str) -> list[str]:
    """The files that may be left where a removal fails: litter, checkpoints, a replaced run."""
    if not change.startswith(("os.remove", "os.rmdir")):
        return []
    left = ("/checkpoints/", ".run.new/")
    return place.litter(found) + [name for name in found if any(part in name for part in left)]


def fail_at(forks: Any, place: Any, words: list[str], at: int, expected: dict[str, Any]) -> None:
    """Let change `at` fail once: what was there is as it was, or what is new is whole."""
    before = place.filled()
    code, changes, said = forks.run(place.fresh(), words, at, error=errno.EIO)
    what = (at, changes[at - 1], code, said)
    found = place.tree()
    if code == 0:  # a change that may fail
        left = not_removed(place, found, changes[at - 1])
        assert without(found, *left) == without(expected, *not_kept(said, expected)), what
        return
    assert refused(code, said), what
    # What was there is there, but for what has got its new content already.
    other = [name for name in before if found.get(name) not in (before[name], expected.get(name))]
    assert other == [], what
    forks.again(place, words, expected, what)


def test_t6_an_error_at_some_points(forks: Any, place: Any, command: list[str]) -> None:
    expected, changes = forks.whole(place, command)
    for at in (len(changes) // 2, len(changes) - 2):
        fail_at(forks, place, command, at, expected)


@pytest.mark.kills
def test_t6_an_error_at_every_point(forks: Any, place: Any, command: list[str]) -> None:
    expected, changes = forks.whole(place, command)
    for at in range(1, len(changes) + 1):
        fail_at(forks, place, command, at, expected)


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 16 MiB in memory."""
    folder = tmp_path_factory.mktemp("disk")
    words = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path, free: int) -> Path:
    """Leave `free` bytes of a disk."""
    ballast = disk / "ballast"
    there = os.statvfs(disk)
    with ballast.open("wb") as stream:
        size = there.f_bavail * there.f_frsize - free
        if size > 0:
            os.posix_fallocate(stream.fileno(), 0, size)
    return ballast


def with_free(forks: Any, place: Any, words: list[str], free: int, expected: Any) -> int:
    """Run a command with so much space, then with enough."""
    before = place.filled()
    ballast = fill(place.path.parent, free)
    code, _, said = forks.run(place.path, words)
    found = place.tree()
    ballast.unlink()
    if code == 0:
        assert found == without(expected, *not_kept(said, expected)), (free, said)
        return code
    assert refused(code, said), (free, code, said)
    assert "No space left on device" in said, (free, said)
    assert {name: found.get(name) for name in before} == before, (free, said)
    forks.again(place, words, expected, (free, code, said))
    return code


def levels(forks: Any, place: Any, words: list[str], sizes: list[int]) -> list[int]:
    """The exit code at each of some levels of free space."""
    expected, _ = forks.whole(place, words)
    return [with_free(forks, place, words, size, expected) for size in sizes]


def test_t5_a_disk_that_is_full(
    forks: Any, place_on: Any, small_disk: Path, command: list[str]
) -> None:
    assert levels(forks, place_on(small_disk), command, [0]) == [74]


@pytest.mark.kills
def test_t5_a_disk_that_gets_full(
    forks: Any, place_on: Any, small_disk: Path, command: list[str]
) -> None:
    sizes = [step * 4 * KIB for step in range(64)]
    codes = levels(forks, place_on(small_disk), command, sizes)
    assert codes[0] == 74
    assert codes[-1] == 0

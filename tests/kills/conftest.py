"""A workplace with data and a trained run, commands on it, and a process that can be killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

HERE = Path(__file__).parent
_SMALL = "--set model.dim=4 --set train.batch_size=64 --set train.epochs=2"
_GRID = """
title = "tiny"
seeds = 1
[[rows]]
name = "static"
settings.model.name = "static"
[[rows]]
name = "popularity"
baseline = "popularity"
"""
_LINES = {
    "prepare": "prepare log.csv --items items.csv --negatives 5 --out new",
    "prepare-over": "prepare log.csv --items items.csv --negatives 4 --out data --overwrite",
    "train": f"train data --model solid-duet --out new {_SMALL}",
    "train-over": f"train data --model static --seed 3 --out run --overwrite {_SMALL}",
    "encode": "encode data --behaviour run",
    "items-add": "items add run added.csv",
    "update": "update run more.csv --out new --least-users 2 --force",
    "search": "search data --model static --try model.dropout=0,0.5 --trials 2 --out new " + _SMALL,
    "experiment": f"experiment run grid.toml data --out new --jobs 1 {_SMALL}",
}
COMMANDS = {name: line.split() for name, line in _LINES.items()}
_TIMES = {"seconds", "seconds_an_epoch", "positives_per_second", "sha256", "bytes"}
_LITTER = (".tmp-", ".old-", ".lock")
_TABLES = ("cells.csv", "tables.md", "tables.tex", "measures.csv")
"""Written anew from the results by every call; they have times in them."""


@pytest.fixture(scope="session")
def commands() -> dict[str, list[str]]:
    """The words of each command, by a name."""
    return COMMANDS


@pytest.fixture(scope="module", params=[name for name in COMMANDS if name != "experiment"])
def command(request: pytest.FixtureRequest) -> list[str]:
    """The words of each command but the slow one, whose workers import everything anew."""
    return COMMANDS[request.param]


class Forks:
    """Runs commands in a folder, and kills them."""

    def __init__(self, scratch: Path) -> None:
        paths = [str(HERE / "hook"), os.environ.get("PYTHONPATH", "")]
        self.scratch = scratch
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "forks.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )

    def run(
        self, folder: Path, words: list[str], at: int = 0, *, error: int = 0
    ) -> tuple[int, list[str], str]:
        """The exit code (-9 if killed), what was changed on disk, and what was said.

        Change `at` is the last one, or with `error` the one that fails with this number.
        """
        log, said = self.scratch / "log", self.scratch / "said"
        log.unlink(missing_ok=True)
        asked = {
            "folder": str(folder),
            "words": words,
            "at": at,
            "error": error,
            "log": str(log),
            "said": str(said),
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        changes = [line.rstrip() for line in log.read_text("ascii").splitlines()]
        return code, changes, said.read_text("utf-8")

    def whole(self, place: Place, words: list[str]) -> tuple[dict[str, Any], list[str]]:
        """What a call that nothing disturbs leaves, and its changes on disk."""
        code, changes, said = self.run(place.fresh(), words)
        assert code == 0, said
        tree = place.tree()
        assert place.litter(tree) == []
        return tree, changes

    def again(self, place: Place, words: list[str], expected: dict[str, Any], what: object) -> None:
        """Call a command again: it ends as the one that nothing disturbed."""
        code, _, said = self.run(place.path, words)
        known = words[0] == "items" and "knows all of its 1 items already" in said
        assert code == 0 or (code == 2 and known), (what, said)
        found = place.tree()
        assert place.litter(found) == [], what
        assert found.keys() == expected.keys(), what
        assert [name for name in found if found[name] != expected[name]] == [], what


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    made = Forks(tmp_path_factory.mktemp("forks"))
    yield made
    assert made.process.stdin is not None
    assert made.process.stdout is not None
    made.process.stdin.close()
    made.process.stdout.close()
    made.process.wait()


@pytest.fixture(scope="session")
def inputs(forks: Forks, tmp_path_factory: pytest.TempPathFactory, walk: Any) -> Path:
    """A folder with a log, its items, prepared data and a run, which nobody writes to."""
    folder = tmp_path_factory.mktemp("inputs") / "work"
    folder.mkdir()
    log, items = walk(users=12, items=16, groups=4, length=6)
    log.write_csv(folder / "log.csv")
    items.select("item", "title").write_csv(folder / "items.csv")
    pl.DataFrame({"item": ["new"], "title": ["thing 5 of kind 1"]}).write_csv(folder / "added.csv")
    log.with_columns(position=pl.col("position") + 6)[::3].write_csv(folder / "more.csv")
    (folder / "grid.toml").write_text(_GRID)
    for words in (
        [*COMMANDS["prepare"][:-1], "data"],
        f"train data --model static --out run {_SMALL}".split(),
    ):
        code, _, said = forks.run(folder, words)
        assert code == 0, said
    return folder


class Place:
    """One path at which every attempt gets a fresh copy of the inputs: some files name it."""

    def __init__(self, inputs: Path, path: Path) -> None:
        self.inputs, self.path = inputs, path

    def fresh(self) -> Path:
        """Empty the path and fill it again."""
        shutil.rmtree(self.path, ignore_errors=True)
        return Path(shutil.copytree(self.inputs, self.path))

    def filled(self) -> dict[str, Any]:
        """All files of a fresh copy."""
        self.fresh()
        return self.tree()

    def litter(self, tree: dict[str, Any]) -> list[str]:
        """What of its files should not be left over."""
        return [name for name in tree if any(part in name for part in _LITTER)]

    def tree(self) -> dict[str, Any]:
        """All files by name: their bytes, or their content without times."""
        found = sorted(path for path in self.path.rglob("*") if path.is_file())
        return {str(path.relative_to(self.path)): _content(path) for path in found}


@pytest.fixture(scope="session")
def place(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(inputs, tmp_path_factory.mktemp("place") / "work")


@pytest.fixture(scope="session")
def place_on(inputs: Path) -> Callable[[Path], Place]:
    """Makes a place in a folder."""
    return lambda folder: Place(inputs, folder / "work")


def _content(path: Path) -> Any:
    if path.name in _TABLES:
        return None
    if path.suffix == ".json":
        return _timeless(json.loads(path.read_bytes()))
    if path.suffix == ".jsonl":
        return [_timeless(json.loads(line)) for line in path.read_bytes().splitlines()]
    return path.read_bytes()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(one) for key, one in value.items() if key not in _TIMES}
    return [_timeless(one) for one in value] if isinstance(value, list) else value

"""Every file of every folder, changed in every way: refused in one line, and no wrong answer."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.measured import copied, measured_experiment

from solidrec.api import Model, load, train
from solidrec.data.encoded import write_encoded
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import DamagedError, IncompatibleError, SolidrecError, StorageError
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.experiments.tables.experiment_tables import measured_of, measures_of, tables_of

__all__ = ["copied", "measured_experiment"]
REFUSED = (StorageError, IncompatibleError, DamagedError)
CODES: dict[type[SolidrecError], int] = {StorageError: 74, IncompatibleError: 76, DamagedError: 77}


TEST_LEFT_OUT = ("-few-events.parquet, gone", "-stability.parquet, gone")
NOT_FINISHED = [f"results.jsonl, {how}" for how in ("truncated", "emptied", "gone")]


def refusal(use: Callable[[Path], Any], folder: Path) -> SolidrecError | None:
    """What a folder is refused with, None if it is used."""
    try:
        use(folder)
    except REFUSED as error:
        return error
    return None


def changes(path: Path, other: Path | None) -> Iterator[str]:
    """Change a file in every way, one after the other, and put it back."""
    content = path.read_bytes()
    found = {"truncated": content[: len(content) // 2], "emptied": b""}
    for share in (0.0, 0.3, 0.6, 0.95):
        at = int(len(content) * share)
        found[f"bit at {at}"] = (
            content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] if content else b"x"
        )
    if other is not None and other.is_file():
        found["another one"] = other.read_bytes()
    for how, changed in found.items():
        if changed != content:
            path.write_bytes(changed)
            yield f"{path.name}, {how}"
            path.write_bytes(content)
    path.unlink()
    yield f"{path.name}, gone"
    path.write_bytes(content)


def sweep(
    folder: Path, other: Path, use: Callable[[Path], Any], ignored: tuple[str, ...] = ()
) -> int:
    """Use a folder with each of its files changed; return how often that was refused."""
    expected, count = use(folder), 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for what in changes(path, other / path.relative_to(folder)):
            if path.name.startswith(ignored):
                assert use(folder) == expected, what
                continue
            error = refusal(use, folder)
            if what in NOT_FINISHED:  # as after a kill: the cells are run again
                assert error is None or isinstance(error, StorageError)
                assert Results(folder).missing(Plan.load(folder))
                continue
            if error is None and what.endswith(TEST_LEFT_OUT):
                continue  # the means are in the results; the paired test is left out
            assert error is not None, f"{what}: was not noticed"
            assert "\n" not in str(error), what
            assert error.exit_code == CODES[type(error)], what
            count += 1
    assert use(folder) == expected
    return count


@pytest.fixture(scope="module")
def others(
    walk: Any, tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Another prepared folder and another run, as valid as the ones that are changed."""
    folder = tmp_path_factory.mktemp("others")
    log, items = walk(seed=7)
    content = np.random.default_rng(5).standard_normal((40, 8)).astype(np.float32)
    data = prepare(log, items=items, features={"content": content}, out=folder / "data")
    encode(data)
    settings = tiny | {"train": tiny["train"] | {"epochs": 1}}
    run = train(data, model="solid-duet", out=folder / "run", settings=settings, progress=False)
    return data.path, run.run.path


def encode(data: PreparedData) -> None:
    vectors = np.ones((len(data.items), 2), dtype=np.float32)
    write_encoded(data.path, "text", vectors, fingerprint=data.fingerprint, facts={})


def test_t7_t8_d20_every_file_of_a_prepared_folder(
    data: PreparedData, others: tuple[Path, Path], tmp_path: Path
) -> None:
    left_out = shutil.ignore_patterns("semantics", "experts")  # caches have manifests of their own
    copy = Path(shutil.copytree(data.path, tmp_path / "data", ignore=left_out))
    encode(PreparedData.open(copy))

    def use(folder: Path) -> Any:
        opened = PreparedData.open(folder)
        rows = opened.rows("test")
        return opened.fingerprint, rows.candidates(0, len(rows)).tobytes()

    assert sweep(copy, others[0], use) > 90


def test_t7_t8_every_file_of_a_run(
    run_folder: Path, others: tuple[Path, Path], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(run_folder, tmp_path / "run"))

    def use(folder: Path) -> Any:
        model: Model = load(folder)
        answer = model.recommend(["i01", "i07"], 5)
        return str(answer.items), model.run.metrics, model.run.history

    assert sweep(copy, others[1], use) > 60


def test_t22_every_file_of_an_experiment(copied: Path, tmp_path: Path) -> None:
    """Tables, reports and locks are nobody's truth; the runs are swept above."""
    other = Path(shutil.copytree(copied, tmp_path / "other"))
    users = sorted((other / "users").iterdir())
    for path, neighbour in zip(users, [*users[1:], users[0]], strict=True):
        shutil.copyfile(copied / "users" / neighbour.name, path)
    shutil.rmtree(copied / "runs", ignore_errors=True)

    def use(folder: Path) -> Any:
        plan, results = Plan.load(folder), Results(folder)
        measured = measured_of(plan, results)
        return str((tables_of(plan, results, measured), measures_of(plan, results, measured)))

    nobody = ("cells", "comparisons", "measures", "tables", "ranks", "report", ".", "mine")
    assert sweep(copied, other, use, ignored=nobody) > 30

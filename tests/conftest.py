"""Common set-up: checked shapes in signatures, one thread, repeatable operations, shared data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

os.environ["OMP_NUM_THREADS"] = (
    "1"  # read once, when torch or NumPy is first imported; child processes inherit it
)
os.environ["MPLBACKEND"] = "Agg"

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

from solidrec.errors import NAMES_OPTIONS

if TYPE_CHECKING:
    from solidrec.data.prepared import PreparedData

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE = REPOSITORY / "src"


def modules_with_shapes() -> list[str]:
    """The modules whose signatures speak of shapes: those that import jaxtyping."""
    paths = sorted(
        path
        for path in SOURCE.rglob("*.py")
        if "from jaxtyping import" in path.read_text(encoding="utf-8")
    )
    return [
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        for path in paths
    ]


# Before the first import of solidrec: from here on every call is checked against its annotations.
install_import_hook(modules_with_shapes(), "beartype.beartype")

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

# The same examples on every machine, and no time limit on one that others use too.
settings.register_profile("solidrec", derandomize=True, deadline=None)
settings.load_profile("solidrec")


@pytest.fixture(autouse=True)
def _names_of_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests read the messages as they stand in the source; `test_errors` has their Python."""
    monkeypatch.setenv(NAMES_OPTIONS, "1")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shaped() -> list[str]:
    """The names of the modules whose calls are checked."""
    return modules_with_shapes()


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Return the folder of a shared data set by its name, or skip the test where it is absent."""
    root = Path(os.environ.get("SOLIDREC_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))

    def find(name: str) -> Path:
        if not (root / name).is_dir():
            pytest.skip(
                f"shared data {name!r} is absent; "
                "SOLIDREC_SHARED_DATA names the folder that holds it"
            )
        return root / name

    return find


def walk_log(
    *,
    users: int = 90,
    items: int = 40,
    groups: int = 8,
    length: int = 9,
    noise: float = 0.1,
    seed: int = 0,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return a log and its items: each user steps from a group of items to the next one.

    With chance `noise` a user steps anywhere. Every item is as popular as any other, so only the
    order can be learned; with `noise` 1 there is nothing to learn.
    """
    rng = np.random.default_rng(seed)
    size = items // groups
    rows = []
    for user in range(users):
        group = int(rng.integers(groups))
        for position in range(length):
            rows.append((f"u{user:03}", f"i{group * size + int(rng.integers(size)):02}", position))
            group = int(rng.integers(groups)) if rng.random() < noise else (group + 1) % groups
    named = [
        (f"i{item:02}", f"thing {item} of kind {item // size}", [f"kind {item // size}"], item)
        for item in range(items)
    ]
    return (
        pl.DataFrame(rows, schema=["user", "item", "position"], orient="row"),
        pl.DataFrame(named, schema=["item", "title", "categories", "item_idx"], orient="row"),
    )


@pytest.fixture(scope="session")
def walk() -> Callable[..., tuple[pl.DataFrame, pl.DataFrame]]:
    """The maker of a log whose right answer is known (see `walk_log`)."""
    return walk_log


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    """A read-only prepared folder: 90 users, 40 items, titles, categories, one feature matrix."""
    from solidrec.data.prepare import prepare

    log, items = walk_log()
    content = np.eye(8)[np.arange(40) // 5] + 0.1 * np.random.default_rng(0).standard_normal(
        (40, 8)
    )
    return prepare(
        log,
        items=items,
        features={"content": content.astype(np.float32)},
        out=tmp_path_factory.mktemp("data") / "walk",
    )


@pytest.fixture(scope="session")
def timed(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    """A walk of 60 users, who start one after another, split by time; nobody writes to it."""
    from solidrec.data.prepare import prepare

    log, items = walk_log(users=60)
    start = pl.col("user").str.slice(1).cast(pl.Int64)
    log = log.select("user", "item", timestamp=start + 2 * pl.col("position"))
    return prepare(log, items=items, split="time", out=tmp_path_factory.mktemp("timed") / "walk")


@pytest.fixture(scope="session")
def tiny() -> dict[str, Any]:
    """Settings of a model that trains quickly: 5 steps an epoch on `data`, a staged codebook."""
    return {
        "model": {"dim": 8, "dropout": 0.1, "codebook": {"schedule": "staged"}},
        "train": {"batch_size": 128, "learning_rate": 0.01},
    }


@pytest.fixture(scope="session")
def run_folder(
    data: PreparedData, tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A finished run of SOLID (DUET) on SASRec; copy it before you touch it."""
    from solidrec.api import train

    out = tmp_path_factory.mktemp("runs") / "solid"
    return train(
        data, model="solid-duet", epochs=4, out=out, settings=tiny, progress=False
    ).run.path


class Answer(NamedTuple):
    """What a command line did."""

    code: int
    out: str
    err: str


@pytest.fixture
def solidrec(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Answer]:
    """Run the command line in this process: ``solidrec("train", folder, "--epochs", 1)``."""
    from solidrec.cli import main

    def run(*words: object) -> Answer:
        monkeypatch.setattr("sys.argv", ["solidrec", *map(str, words)])
        monkeypatch.setenv("SOLIDREC_DEBUG", "")  # what --debug sets is put back when the test ends
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        return Answer(int(caught.value.code or 0), *capsys.readouterr())

    return run

"""What every test stands on: shapes in signatures are checked, one thread, repeatable operations, shared data or a skip."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # read once, when torch or NumPy is first imported; child processes inherit it
os.environ["MPLBACKEND"] = "Agg"

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE = REPOSITORY / "src"


def modules_with_shapes() -> list[str]:
    """The modules whose signatures speak of shapes: those that import jaxtyping."""
    paths = sorted(path for path in SOURCE.rglob("*.py") if "from jaxtyping import" in path.read_text(encoding="utf-8"))
    return [".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__") for path in paths]


# Before the first import of solidrec: from here on each call in these modules is checked against its annotations.
install_import_hook(modules_with_shapes(), "beartype.beartype")

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

# The same examples on every machine, and no time limit on one that others use too.
settings.register_profile("solidrec", derandomize=True, deadline=None)
settings.load_profile("solidrec")


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
            pytest.skip(f"shared data {name!r} is absent; SOLIDREC_SHARED_DATA names the folder that holds it")
        return root / name

    return find

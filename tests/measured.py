"""One small finished experiment for the tests of experiments and reports, run in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.data.prepared import PreparedData
from solidrec.experiments.cell_work import work
from solidrec.experiments.experiment_spec import ExperimentSpec
from solidrec.experiments.grid import cells_of, rows_of
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.report.material import Material, material

MEASURED = {
    "title": "tiny",
    "seeds": 2,
    "measures": ["stability", "cost", "few-events"],
    "axes": {"model.name": ["static", "duet", "solid-duet"]},
    "rows": [{"name": "popularity", "baseline": "popularity"}],
}


@pytest.fixture(scope="session")
def measured_experiment(
    data: PreparedData, tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a finished experiment with stability and cost; copy it before you touch it."""
    out = tmp_path_factory.mktemp("experiment") / "measured"
    out.mkdir()
    experiment = ExperimentSpec.parse(MEASURED)
    settings = {
        "model": tiny["model"] | {"codebook": {"schedule": "staged"}},
        "train": tiny["train"] | {"epochs": 2},
    }
    rows = rows_of(experiment, data)
    cells = cells_of(experiment, rows, data, settings)
    Plan.of("tiny.toml", experiment, rows, cells, data=data.path, settings=settings).save(out)
    results = Results(out)
    for cell in cells:
        results.append(
            work(cell, data.path, out, protocols=experiment.protocols, measures=experiment.measures)
        )
    return out


@pytest.fixture
def copied(measured_experiment: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(measured_experiment, tmp_path / "copied"))


@pytest.fixture(scope="session")
def of(measured_experiment: Path) -> Material:
    """All that its report is made of."""
    return read(measured_experiment)


@pytest.fixture(scope="session")
def read_material() -> Callable[[Path], Material]:
    """What reads the folder of an experiment."""
    return read


def read(out: Path) -> Material:
    return material(Plan.load(out), Results(out))

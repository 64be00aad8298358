"""The main workflow on MovieLens 100K: prepare, then the experiment `demo` with its report."""

from __future__ import annotations

from pathlib import Path

from solidrec.api import Model, load
from solidrec.artifacts import MANIFEST
from solidrec.console import prepared_lines, say
from solidrec.data.ml100k import download as fetch
from solidrec.data.ml100k import find_ml100k
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.experiments.execute import run_experiment
from solidrec.experiments.experiment_spec import read_experiment
from solidrec.experiments.plan import RUNS, Plan
from solidrec.report.experiment_report import write_experiment_report

QUICK, FULL = "demo", "demo-full"
"""The experiments that the package contains."""
BEST = "mixture"
"""The row whose model recommends at the end."""
MADE_UP = (
    "Star Wars (1977)",
    "Empire Strikes Back, The (1980)",
    "Raiders of the Lost Ark (1981)",
    "Blade Runner (1982)",
)


def run_demo(
    path: Path, *, full: bool, folder: Path | None, download: bool, seed: int, jobs: int
) -> Path:
    """Run the demo in `path` and return the folder of its experiment; finished parts are reused.

    The report is ``path/report.html``. Raises `StorageError` if MovieLens 100K is not found and may
    not be downloaded.
    """
    name = FULL if full else QUICK
    data = _demo_data(path / "data", folder=folder, download=download)
    spec = read_experiment(name).model_copy(update={"first_seed": seed})
    out = path / ("full" if full else "quick")
    run_experiment(name, spec, data.path, out, jobs=jobs)
    write_experiment_report(out, path / "report.html")
    return out


def _demo_data(path: Path, *, folder: Path | None, download: bool = False) -> PreparedData:
    """Prepare MovieLens 100K, or open what was prepared before, and print its source and terms."""
    if (path / MANIFEST).is_file():
        data = PreparedData.open(path)
        say(f"{path}: prepared before; {data.manifest['source']}")
        return data
    found = find_ml100k(fetch(path.with_name("ml-100k")) if download else folder)
    data = prepare(found.interactions, items=found.items, out=path, source=found.source)
    for line in prepared_lines(data.manifest, path)[:-1]:
        say(line)
    return data


def best_model(out: Path) -> Model:
    """Load the model that makes the recommendations of a finished demo."""
    key = next(place.key for place in Plan.load(out).places if place.row == BEST)
    return load(out / RUNS / key)


def ids_of(model: Model, titles: tuple[str, ...]) -> list[str]:
    """Return the ids of the items with the given titles, in the order of the titles."""
    frame = model.run.catalog
    return [
        item for title in titles for item in frame.filter(frame["title"] == title)["item"].to_list()
    ]

"""The main job on MovieLens 100K: prepare, semantic ids, four models, honest tables, a report, recommendations."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from solidrec.api import Model, train
from solidrec.artifacts import MANIFEST
from solidrec.console import items_table, metrics_table, out, prepared_lines, say
from solidrec.data.ml100k import download as fetch
from solidrec.data.ml100k import find_ml100k
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.evaluate.baselines import BASELINES
from solidrec.evaluate.runner import evaluate
from solidrec.experiments.report.run_report import Contender, Sample, write_report
from solidrec.nn.build import stages
from solidrec.spec import ModelSpec

MODELS = ("mixture", "static", "duet", "solid-duet")
"""What `solidrec train` trains by itself, and the paper's method beside its base and a static model."""
BEST, FLAGSHIP = "mixture", "solid-duet"
FLOORS = ("popularity", "item-knn", "knn-content")
QUICK_EPOCHS = 14
"""Epochs of each model in a quick run, over all its stages: nobody gets more by having two."""
QUICK_MIXTURE = {"model": {"dim": 64, "length": 20}}
"""What makes the mixture's neural expert as quick as the others in a quick run."""
FULL_EPOCHS = 200
"""The most that a stage may take in a full run; patience ends it long before."""
LENGTH = 10
MADE_UP = ("Star Wars (1977)", "Empire Strikes Back, The (1980)", "Raiders of the Lost Ark (1981)", "Blade Runner (1982)")
Array = npt.NDArray[Any]


def run_demo(path: Path, *, full: bool, folder: Path | None, download: bool, seed: int, threads: int) -> None:
    """Run everything into `path`; a second call reuses the data and the finished runs."""
    started = time.perf_counter()
    data = demo_data(path / "data", folder=folder, download=download)
    cap = f"at most {FULL_EPOCHS} epochs a stage" if full else f"{QUICK_EPOCHS} epochs each (--full trains to convergence)"
    say(f"training {', '.join(MODELS)} on SASRec, {cap}")
    epochs = {name: stage_epochs(name, full=full) for name in MODELS}
    quick: dict[str, Any] = {} if full else {BEST: QUICK_MIXTURE}
    runs = {
        name: train_one(data, name, path, epochs=epochs[name], settings=quick.get(name), seed=seed, threads=threads)
        for name in MODELS
    }
    contenders = [*baselines(data), *(contender(model, data) for model in runs.values())]
    users = len(contenders[0].evaluation.users)
    for protocol, rows in tables(contenders).items():
        out().print(metrics_table(f"ml-100k, test, protocol {protocol}, {users} users, seed {seed}", rows))
    report = path / "report.html"
    write_report(
        report,
        title="solidrec demo: MovieLens 100K",
        data=data,
        contenders=contenders,
        semantics=runs[FLAGSHIP].run.semantics,
        samples=samples(data, runs),
        command=shlex.join(["solidrec", *sys.argv[1:]]),
        seconds=time.perf_counter() - started,
        notes=[]
        if full
        else [
            f"A quick run: {QUICK_EPOCHS} epochs each, far from convergence, and the mixture's neural expert is "
            f"{QUICK_MIXTURE['model']['dim']} wide and reads {QUICK_MIXTURE['model']['length']} items; "
            "`solidrec demo --full` trains to the end."
        ],
    )
    made_up = ids_of(data, MADE_UP)
    answer = runs[BEST].recommend(made_up, 10)
    out().print(items_table(f"{BEST} for a made-up history: {' · '.join(MADE_UP)}", answer.items))
    run = runs[BEST].run.path
    say(f'wrote {report}; recommend for any history: solidrec recommend {run} --history "{",".join(made_up)}"')


def demo_data(path: Path, *, folder: Path | None, download: bool = False) -> PreparedData:
    """Prepare MovieLens 100K, or open it where it was prepared before; say what is used and under which terms."""
    if (path / MANIFEST).is_file():
        data = PreparedData.open(path)
        say(f"{path}: prepared before; {data.manifest['source']}")
        return data
    found = find_ml100k(fetch(path.with_name("ml-100k")) if download else folder)
    data = prepare(found.interactions, items=found.items, out=path, source=found.source)
    for line in prepared_lines(data.manifest, path)[:-1]:
        say(line)
    return data


def stage_epochs(name: str, *, full: bool) -> int:
    """Return the epochs of each stage of a model.

    >>> stage_epochs("duet", full=False), stage_epochs("solid-duet", full=False)
    (14, 14)
    """
    return FULL_EPOCHS if full else max(1, QUICK_EPOCHS // (1 if name == BEST else stages(ModelSpec.parse({"name": name}))))


def train_one(
    data: PreparedData, name: str, path: Path, *, epochs: int, settings: dict[str, Any] | None, seed: int, threads: int
) -> Model:
    """Train one model of the comparison, or load it if this demo has trained it before."""
    say(f"{name}:")
    folder = path / "runs" / f"{name}-epochs{epochs}-seed{seed}"
    return train(data, model=name, backbone="sasrec", seed=seed, epochs=epochs, settings=settings, out=folder, threads=threads)


def baselines(data: PreparedData) -> list[Contender]:
    """Return the floors on the same candidates."""
    scorers = {name: BASELINES[name](data) for name in FLOORS}
    return [
        Contender(name, evaluate(score, data, length=LENGTH), evaluate(score, data, protocol="full", length=LENGTH), None)
        for name, score in scorers.items()
    ]


def contender(model: Model, data: PreparedData) -> Contender:
    """Measure a trained model under both protocols."""
    return Contender(model.run.spec.model.name, model.evaluate(data), model.evaluate(data, protocol="full"), model.run)


def tables(contenders: Sequence[Contender]) -> dict[str, list[tuple[str, dict[str, float | None]]]]:
    """Return the rows of both protocols' tables, the whole catalogue first."""
    return {
        "full (whole catalogue)": [(entry.name, entry.full.metrics) for entry in contenders if entry.full is not None],
        "paper (1 + 99 uniform)": [(entry.name, entry.evaluation.metrics) for entry in contenders],
    }


def ids_of(data: PreparedData, titles: tuple[str, ...]) -> list[str]:
    """Return the ids of some titles."""
    frame = data.catalog
    return [item for title in titles for item in frame.filter(frame["title"] == title)["item"].to_list()]


def samples(data: PreparedData, runs: dict[str, Model], count: int = 3, k: int = 5) -> list[Sample]:
    """Return what the models recommend to the made-up history and to a few test users, beside what these took next."""
    titles = dict(zip(data.catalog["item"], data.catalog["title"].fill_null(""), strict=True))
    rows = data.rows("test")
    picked = np.linspace(0, len(rows) - 1, count).astype(int)
    histories = data.histories(rows.users[picked], rows.positions[picked], LENGTH)
    cases = [(ids_of(data, MADE_UP), None)]
    cases += [
        ([data.items.id(int(i)) for i in history[history > 0]], titles[data.items.id(int(target))])
        for history, target in zip(histories, rows.targets[picked], strict=True)
    ]
    return [
        Sample(
            history=[titles[item] for item in history],
            answers={
                name: [row["title"] or row["item"] for row in model.recommend(history, k).items] for name, model in runs.items()
            },
            truth=truth,
        )
        for history, truth in cases
    ]

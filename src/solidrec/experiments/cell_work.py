"""The work of one process on one cell: train, resume or load its model, and measure it."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from solidrec.data.prepared import PreparedData
from solidrec.devices import use_threads
from solidrec.errors import DamagedError, IncompatibleError
from solidrec.evaluate.cost import cost, training_seconds
from solidrec.evaluate.few_events import few_events
from solidrec.evaluate.runner import Protocol, evaluate
from solidrec.evaluate.stability import stability
from solidrec.evaluate.tune import tune
from solidrec.experiments.grid import Cell
from solidrec.experiments.plan import RUNS
from solidrec.experiments.tables.few_events import FEW_EVENTS, write_few_events
from solidrec.experiments.tables.stability import STABILITY, write_stability
from solidrec.experiments.users import write_users, written
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.inference.scorer import Scorer
from solidrec.provenance import commit, versions
from solidrec.runs import Run
from solidrec.spec import RunSpec
from solidrec.training.run import train_run

_OF_A_STAGE = ("epoch", "step", "loss", "codebook_loss", "saturated", "codes_used", "perplexity")
"""What a record keeps of the epoch that a stage chose, if it was logged."""


def work(
    cell: Cell,
    path: Path,
    out: Path,
    *,
    protocols: Sequence[Protocol],
    measures: Sequence[str],
    device: str = "cpu",
) -> dict[str, Any]:
    """Train and measure a cell on one thread, and return its record.

    The metrics of its users and its run folder are written to `out`. The test split is opened here
    for the first time, after the epoch was chosen on validation.
    """
    use_threads(1)
    code = commit()  # read first: the checkout may have changed when the cell ends
    started = time.perf_counter()
    data = PreparedData.open(path)
    if data.fingerprint != cell.data:
        raise IncompatibleError(
            f"{path}: was prepared anew while the experiment ran; restore it, or choose another "
            "--out"
        )
    if cell.spec is None:
        run, length = None, cell.length
        scorer, facts = _tuned(cell, data)
    else:
        run = _trained_run(data, cell.spec, out / RUNS / cell.key, device=device)
        length = run.spec.model.history_length
        scorer, facts = scorer_of(run.model), _trained(run)
    evaluations = {}
    for protocol in protocols:
        found = evaluate(scorer, data, split="test", protocol=protocol, length=length)
        write_users(out, cell.key, found)
        evaluations[protocol] = found.summary()
    taken = {name: _measure(name, run, data, key=cell.key, out=out) for name in measures if run}
    return {
        "key": cell.key,
        "data": cell.data,
        "seed": cell.seed,
        "spec": cell.facts() if cell.spec is None else cell.spec.model_dump(mode="json"),
        "evaluations": evaluations,
        "measures": taken,
        "users": written(out, cell.key, (*evaluations, *taken)),
        **facts,
        # A run that was there already has cost more than its loading.
        "seconds": max(time.perf_counter() - started, _epoch_seconds(run) if run else 0.0),
        "machine": {
            "cpu": torch.backends.cpu.get_cpu_capability(),
            "system": platform.machine(),
            "threads": 1,
            "device": device,
        },
        "versions": versions(),
        "commit": code,
    }


def _tuned(cell: Cell, data: PreparedData) -> tuple[Scorer, dict[str, Any]]:
    """Return a baseline with the best of its trials, and what was tried."""
    found = tune(str(cell.baseline), data, length=cell.length, trials=cell.trials)
    trials = [trial._asdict() for trial in found.trials]
    return found.scorer, {"settings": found.settings, "trials": trials}


def _trained_run(data: PreparedData, spec: RunSpec, folder: Path, *, device: str) -> Run:
    """Train, resume or load a run; the error for an unreadable folder says what to remove."""
    try:
        return train_run(data, spec, folder, device=device)
    except (DamagedError, IncompatibleError) as error:
        raise type(error)(f"{error}; to train this cell anew, rm -r {folder}") from None


def _measure(name: str, run: Run, data: PreparedData, *, key: str, out: Path) -> Mapping[str, Any]:
    """Measure a trained model in another way than by ranking; values per user go to `out`."""
    if name == STABILITY:
        found = stability(run.model, data, length=run.spec.model.history_length)
        write_stability(out, key, found)
        return found.summary()
    if name == FEW_EVENTS:
        return write_few_events(
            out, key, few_events(run.model, data, length=run.spec.model.history_length)
        )
    return {**cost(run.model, data, run.spec), "seconds_an_epoch": training_seconds(run.history)}


def _epoch_seconds(run: Run) -> float:
    """Return the total duration of a run's epochs, those before a stop included."""
    return float(sum(row["seconds"] for row in run.history))


def _trained(run: Run) -> dict[str, Any]:
    """Return how a run was trained: what each stage chose on validation, and its parameters."""
    stages = []
    for stage in sorted({row["stage"] for row in run.history}):
        rows = [row for row in run.history if row["stage"] == stage]
        best = next((row for row in reversed(rows) if row["best"]), rows[-1])
        chosen = {key: best[key] for key in _OF_A_STAGE if best.get(key) is not None}
        stages.append(
            {"stage": stage, "epochs": rows[-1]["epoch"], **chosen, "valid": best["valid"]}
        )
    valid = run.metrics.get("valid")
    return {
        "stages": stages,
        "valid": None if valid is None else valid["metrics"],
        "parameters": run.manifest["parameters"],
    }

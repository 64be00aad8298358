"""The checks of `solidrec check`: a few seconds on a slice of the data, with the model's own sizes.

Each check is one function from a `Subject` to a `Verdict`, or to None where it does not apply.
"""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from solidrec.api import Model, load
from solidrec.artifacts import MANIFEST
from solidrec.check.chance import chance, untrained
from solidrec.check.learning import learning
from solidrec.check.model import clip, independence, padding, prefixes
from solidrec.check.slicing import (
    bounded,
    kept_items,
    model_of,
    semantics_for,
    semantics_of,
    slice_of,
)
from solidrec.check.subject import Subject, Verdict
from solidrec.check.training import export, reload, repeatable, resume
from solidrec.data.prepared import PreparedData
from solidrec.defaults import run_spec
from solidrec.designs import DESIGNS
from solidrec.errors import UsageError
from solidrec.inference.scorer import neural_of
from solidrec.json_files import read_json
from solidrec.nn.build import plain
from solidrec.runs import SPEC, Run
from solidrec.semantics.ids import SemanticIds
from solidrec.spec import RunSpec
from solidrec.training.stages import start_of_stage

_Check = Callable[[Subject], Verdict | None]
_CHECKS: dict[str, _Check] = {
    "learning": learning,
    "clip": clip,
    "padding": padding,
    "independence": independence,
    "prefixes": prefixes,
    "chance": chance,
    "untrained": untrained,
    "repeatable": repeatable,
    "resume": resume,
    "reload": reload,
    "export": export,
}


def check_fidelity(
    path: Path,
    *,
    data: Path | None = None,
    model: str | None = None,
    backbone: str | None = None,
    settings: Mapping[str, Any] | None = None,
    step: Callable[[dict[str, Any]], None] = lambda entry: None,
) -> dict[str, Any]:
    """Run all checks on a prepared folder with some settings, or on a finished run with its own.

    Returns the facts of the configuration, ``checks`` (one entry each, which `step` receives as
    soon as it is made), the names of those that ``failed``, and the ``seconds``. The data of a run
    is read from where it was trained, or from `data`; checks of a model use the run's own weights.
    Only a temporary folder is written, and it is removed. Raises `UsageError` for settings that no
    model can be built from or that are given beside a run, and the errors of `PreparedData.open`
    and `load_run`.
    """
    started, threads = time.perf_counter(), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory(prefix="solidrec-check-") as folder:
            subject, facts = _prepared_subject(
                path, Path(folder), data=data, model=model, backbone=backbone, settings=settings
            )
            checks = _verdicts(subject, step)
    finally:
        torch.set_num_threads(threads)
    failed = [entry["name"] for entry in checks if entry["status"] == "fail"]
    seconds = round(time.perf_counter() - started, 2)
    return {**facts, "checks": checks, "failed": failed, "seconds": seconds}


def _verdicts(subject: Subject, step: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
    """Run the checks one by one; a check that raises has failed, and its verdict says where."""
    found = []
    for name, check in _CHECKS.items():
        started = time.perf_counter()
        try:
            verdict = check(subject)
        except Exception as error:  # a model may raise anything, and the other checks still run
            verdict = _broken(name, error)
        if verdict is not None:
            seconds = round(time.perf_counter() - started, 3)
            found.append({"name": name, **verdict.to_json(), "seconds": seconds})
            step(found[-1])
    return found


def _broken(name: str, error: Exception) -> Verdict:
    """Return the verdict on a check that raised, with the last line outside of site-packages."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename]
    where = (ours or frames)[-1]
    said = (str(error).strip() or "no message").splitlines()[0]
    return Verdict(
        f"{name} can be checked",
        f"stopped in {Path(where.filename).name}:{where.lineno}",
        f"{type(error).__name__}: {said}",
        "mend what raises this; `solidrec --debug train` shows all of it",
    )


def _prepared_subject(
    path: Path,
    folder: Path,
    *,
    data: Path | None,
    model: str | None,
    backbone: str | None,
    settings: Mapping[str, Any] | None,
) -> tuple[Subject, dict[str, Any]]:
    """Open the data or the run, cut its slice, and return both the subject and facts about it."""
    run = None
    if _is_run(path):
        if model or backbone or settings:
            raise UsageError(
                f"{path}: is a run, which has settings of its own; give its data folder to check "
                "others"
            )
        run = load(path).run
        whole, spec, semantics = Model(run).data(data), run.spec, run.semantics
    else:
        if data is not None:
            raise UsageError(
                f"--data {data}: says where the data of a run is, and {path} is no run"
            )
        whole = PreparedData.open(path)
        spec = run_spec(
            whole, model=model, backbone=backbone, seed=None, epochs=None, settings=settings
        )
        semantics = semantics_for(whole, spec)
    named: str = spec.model.name
    # Only the neural expert of a mixture is trained by gradients over histories.
    if DESIGNS[named].is_mixture:
        spec = spec.model_copy(update={"model": plain(spec.model)})
        named = f"the neural expert of {named}"
    subject = _cut(whole, spec, semantics, folder, run=run)
    facts = {
        "path": str(path),
        "model": named,
        "backbone": spec.model.backbone.name,
        "spec": spec.model_dump(mode="json"),
        "slice": {
            "users": len(subject.data.users),
            "of_users": len(whole.users),
            "items": len(subject.data.items),
            "of_items": len(whole.items),
            "batch": subject.spec.train.batch_size,
            "epochs": subject.spec.train.epochs,
        },
        "semantics": None
        if semantics is None
        else f"{semantics.count} by {semantics.method} ({semantics.reason})",
    }
    return subject, facts


def _cut(
    whole: PreparedData,
    spec: RunSpec,
    semantics: SemanticIds | None,
    folder: Path,
    *,
    run: Run | None = None,
) -> Subject:
    """Return the configuration on its slice of the data.

    Raises `UsageError` for settings that no model can be built from.
    """
    items = kept_items(whole, spec, semantics)
    short, semantics = bounded(spec), semantics_of(semantics, items)
    data = slice_of(whole, short, folder / "data", items)
    short = short.model_copy(update={"data": data.fingerprint})
    # Building a model refuses settings that no model can be built from.
    start_of_stage(data, short, semantics, None, stage=1, device="cpu")
    trained = None if run is None else model_of(neural_of(run.model), short, semantics, items)
    return Subject(data, short, semantics, folder, trained)


def _is_run(path: Path) -> bool:
    """Return whether a folder is a run, finished or not."""
    manifest = read_json(path / MANIFEST) if (path / MANIFEST).is_file() else {}
    return (path / SPEC).is_file() or (isinstance(manifest, dict) and manifest.get("kind") == "run")

"""A whole run: semantic ids, the stages of Algorithm 1, one test evaluation, the run folder."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from solidrec.data.prepared import PreparedData
from solidrec.designs import DESIGNS
from solidrec.disk import need_space, replace_folder
from solidrec.epochs import HISTORY, write_history
from solidrec.errors import Interrupted, StorageError
from solidrec.evaluate.runner import Protocol, evaluate
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.inference.scorer import neural_of
from solidrec.json_files import write_json
from solidrec.locks import LOCK, lock_beside, locked, replacing, stoppable
from solidrec.nn.mixture import Mixture
from solidrec.nn.recommender import Recommender
from solidrec.run_state import CHECKPOINTS, clear_other, finished, is_another, successor
from solidrec.runs import SPEC, Run, load_run, save_run
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.modality import is_described
from solidrec.spec import RunSpec
from solidrec.temporaries import destination
from solidrec.training.checkpoint import Checkpoints
from solidrec.training.content_start import content_map
from solidrec.training.context import RunContext
from solidrec.training.display import Display, Silent
from solidrec.training.memory_plan import check_memory
from solidrec.training.mixture import fit_named
from solidrec.training.semantics import cached_semantics
from solidrec.training.stages import trained_vectors
from solidrec.training.tracking import tracked
from solidrec.training.trainable import check_run

_PROTOCOL_KEYS: dict[str, Protocol] = {"": "paper", "_full": "full"}
"""Suffix of a split's name in ``metrics.json`` for each protocol."""


def train_run(
    data: PreparedData,
    spec: RunSpec,
    out: Path,
    *,
    device: str = "cpu",
    display: Display | None = None,
    overwrite: bool = False,
    track: Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,
) -> Run:
    """Train the model of `spec` on prepared data, write the run folder `out`, and load it.

    A finished run of the same specification is returned as it is, an unfinished one resumes, one of
    another specification raises `IncompatibleError`, or is replaced if `overwrite` is set, when the
    new one has been trained beside it (`successor`). `track` names trackers that epochs go to
    besides ``history.jsonl`` (see `check_trackers`). Raises `Interrupted` when stopped by a signal
    after saving.
    """
    check_memory(data, spec, device)
    check_run(data, spec)
    if overwrite and is_another(out, spec):
        say(f"{out}: the run that is there stays until the new one has been trained")
        with replacing(out, doing="is training here"):
            train_run(
                data,
                spec,
                successor(out),
                device=device,
                display=display,
                overwrite=True,
                track=track,
                say=say,
            )
            replace_folder(successor(out), destination(out))
        return load_run(out, device=device)
    if overwrite and out.is_dir():
        with locked(out):
            if clear_other(out, spec):
                say(f"{out}: removed what another specification left unfinished")
    if finished(out, spec):
        _tidy(out)
        say(f"{out}: this run is finished already; remove the folder to train it again")
        return load_run(out, device=device)
    with locked(out), stoppable():
        # Another process may have finished the run before the lock was taken.
        if not finished(out, spec):
            need_space(out, _least_bytes(data, spec))
            write_json(out / SPEC, spec.model_dump(mode="json"))
            try:
                _carry_out(RunContext(data, spec, out, device, display or Silent(), say=say), track)
            except KeyboardInterrupt:
                raise Interrupted(
                    f"{out}: stopped; run the same command again to go on from the last checkpoint"
                ) from None
    return load_run(out, device=device)


def _tidy(out: Path) -> None:
    """Remove what a process left behind that was killed when its run was complete already."""
    replaced = successor(out)
    if replaced.is_dir() or lock_beside(destination(out)).exists():
        with suppress(StorageError), replacing(out, doing="is training here"):
            shutil.rmtree(replaced, ignore_errors=True)
    checkpoints = out / CHECKPOINTS
    if checkpoints.exists() or (out / LOCK).exists():
        with suppress(StorageError), locked(out):  # who holds it tidies up itself
            Checkpoints(checkpoints).clear()


_COPIES = 4
"""Weights, best weights and the two moments of Adam: what a checkpoint has of each parameter."""


def _least_bytes(data: PreparedData, spec: RunSpec) -> int:
    """Return the bytes that a checkpoint needs at least: those of the item embeddings."""
    return _COPIES * 4 * (len(data.items) + 1) * spec.model.dim


def _carry_out(run: RunContext, track: Sequence[str]) -> None:
    """Make semantic ids, run the stages, measure, and write the files of the locked run folder."""
    started, out = time.perf_counter(), run.out
    assert out is not None
    checkpoints = Checkpoints(out / CHECKPOINTS)
    with tracked(run.display, track, out, run.spec, run.say) as shown:
        # Training a model for semantic ids is not tracked.
        semantics = semantics_for(run)
        model = fit_named(run.but(display=shown, checkpoints=checkpoints), semantics)
        metrics = _measure(model, run.data, run.spec)
        shown.final(metrics)
    seconds = time.perf_counter() - started
    _finish(run, model, semantics=semantics, metrics=metrics, seconds=seconds)
    checkpoints.clear()


def semantics_for(run: RunContext) -> SemanticIds | None:
    """Return the semantic ids that a run reads, made or cached; None if its model reads none."""
    design = DESIGNS[run.spec.model.name]
    if not (design.needs_semantics or (design.is_mixture and is_described(run.data))):
        return None
    train = trained_vectors(run.data, device=run.device, display=run.display)
    return cached_semantics(run.data, run.spec, train, device=run.device, say=run.say)


def _measure(model: Recommender | Mixture, data: PreparedData, spec: RunSpec) -> dict[str, Any]:
    """Measure the chosen weights on the validation and the test split, which is opened only here.

    ``valid`` and ``test`` are under the protocol *paper*, ``valid_full`` and ``test_full`` over the
    whole catalogue.
    """
    found: dict[str, Any] = {}
    for suffix, protocol in _PROTOCOL_KEYS.items():
        for split in ("valid", "test"):
            if split in data.manifest["negatives"]:
                summary = evaluate(
                    scorer_of(model),
                    data,
                    split=split,
                    protocol=protocol,
                    length=spec.model.history_length,
                ).summary()
                found[f"{split}{suffix}"] = {"seed": spec.seed, "data": spec.data, **summary}
    return found


def _finish(
    run: RunContext,
    model: Recommender | Mixture,
    *,
    semantics: SemanticIds | None,
    metrics: dict[str, Any],
    seconds: float,
) -> None:
    """Write the final files of the run folder."""
    data, spec, out = run.data, run.spec, run.out
    assert out is not None
    if not (out / HISTORY).is_file():
        write_history(out, [])
    catalog = data.catalog.select(_catalog_columns(data, spec)).with_columns(
        training_count=np.asarray(data.train_counts[1:])
    )
    facts = {
        "digest": spec.digest(),
        "model": spec.model.name,
        "backbone": spec.model.backbone.name,
        "seed": spec.seed,
        "data": {
            "path": str(data.path.resolve()),
            "fingerprint": data.fingerprint,
            "split": data.manifest["split"],
            **{key: data.manifest[key] for key in ("users", "items", "interactions")},
        },
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seconds": seconds,
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }
    cold = content_map(
        data, neural_of(model), length=spec.model.history_length, seed=spec.semantics.seed
    )
    save_run(
        out,
        spec,
        model,
        catalog=catalog,
        semantics=semantics,
        metrics=metrics,
        facts=facts,
        cold=cold,
        attributes=data.attributes,
    )


def _catalog_columns(data: PreparedData, spec: RunSpec) -> list[str]:
    """Return the catalogue's columns that a run keeps: those for a mixture's content similarity."""
    if DESIGNS[spec.model.name].is_mixture:
        return [name for name in data.catalog.columns if name != "image"]
    return [name for name in ("item", "title", "categories") if name in data.catalog.columns]

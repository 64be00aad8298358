"""A whole run: semantic ids, then the stages of Algorithm 1, then the test split once, then the run folder."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch

from solidrec.artifacts import MANIFEST, read_json, write_json
from solidrec.data.prepared import PreparedData
from solidrec.errors import IncompatibleError, Interrupted, StorageError, UsageError
from solidrec.evaluate.runner import Protocol, evaluate
from solidrec.evaluate.scorer import ModelScorer
from solidrec.nn.build import build, stages
from solidrec.nn.codebook import mean_of_each
from solidrec.nn.recommender import Recommender
from solidrec.nn.sources import Trunk
from solidrec.runs import HISTORY, SPEC, Run, load_run, needs_semantics, save_run, write_history
from solidrec.semantics.fuse import whole
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.kmeans import kmeans
from solidrec.spec import RunSpec
from solidrec.training.batches import TrainingBatches
from solidrec.training.check import check_run
from solidrec.training.checkpoint import Checkpoints, read_progress, restore
from solidrec.training.content import content_map, start_from_content
from solidrec.training.loop import Display, Progress, Silent, Stage, codebook_of, loss_of
from solidrec.training.seeds import seed_torch
from solidrec.training.semantics import Train, cached_semantics
from solidrec.training.tracking import tracked

PROTOCOL_KEYS: dict[str, Protocol] = {"": "paper", "_full": "full"}
"""What follows the name of a split in ``metrics.json``, by protocol."""
CELLS = 1 << 27
"""Scores of a validation over the whole catalogue, about: in a larger one an even sample of users is looked at ..."""
FEWEST = 2_000
"""... of at least so many."""
LOCK = ".lock"
LEFT_BEHIND = (".lock", ".tmp-")
"""What a process that was killed before it wrote spec.json may leave in its run folder."""


def train_run(
    data: PreparedData,
    spec: RunSpec,
    out: Path,
    *,
    device: str = "cpu",
    display: Display | None = None,
    track: Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,
) -> Run:
    """Train what `spec` says on prepared data and write the run folder `out`; returns the loaded run.

    A finished run of the same specification is returned as it is, an unfinished one resumes, one of another
    specification raises `IncompatibleError`. `track` names where epochs go besides ``history.jsonl`` (see `STORES`).
    Raises `Interrupted` when stopped by a signal after saving.
    """
    check_run(data, spec)
    if finished(out, spec):
        say(f"{out}: this run is finished already; remove the folder to train it again")
        return load_run(out, device=device)
    with locked(out), stoppable():
        if not finished(out, spec):  # another process may have ended it since
            write_json(out / SPEC, spec.model_dump(mode="json"))
            try:
                carry_out(data, spec, out, device=device, display=display or Silent(), track=track, say=say)
            except KeyboardInterrupt:
                raise Interrupted(f"{out}: stopped; run the same command again to go on from the last checkpoint") from None
    return load_run(out, device=device)


def carry_out(
    data: PreparedData,
    spec: RunSpec,
    out: Path,
    *,
    device: str,
    display: Display,
    track: Sequence[str],
    say: Callable[[str], None],
) -> None:
    """Make the semantic ids, run the stages, measure and write the final files; the folder is ours alone."""
    started = time.perf_counter()
    with tracked(display, track, out, spec, say) as shown:
        semantics = semantics_for(data, spec, device=device, display=display, say=say)  # a training on the way is not tracked
        checkpoints = Checkpoints(out / "checkpoints")
        model = fit(data, spec, semantics, out=out, device=device, display=shown, checkpoints=checkpoints, say=say)
        metrics = measure(model, data, spec)
        shown.final(metrics)
    finish(out, data, spec, model, semantics=semantics, metrics=metrics, seconds=time.perf_counter() - started)
    checkpoints.clear()


def semantics_for(
    data: PreparedData, spec: RunSpec, *, device: str, display: Display, say: Callable[[str], None]
) -> SemanticIds | None:
    """Return the semantic ids that a run reads, made or found beside the data; None for a model that reads none."""
    if not needs_semantics(spec.model.name):
        return None
    return cached_semantics(data, spec, trained_vectors(data, device=device, display=display), device=device, say=say)


def finished(out: Path, spec: RunSpec) -> bool:
    """Return whether `out` holds this run complete; refuse a folder of anything else.

    A folder in which no epoch has ended may change its specification: there is nothing to lose in it.
    """
    if (out / SPEC).is_file():
        there = filled(read_json(out / SPEC))
        mine = spec.model_dump(mode="json")
        if there != mine and any((out / name).is_file() for name in (MANIFEST, HISTORY)):
            raise IncompatibleError(
                f"{out}: holds a run of another specification ({difference(there, mine)}); choose another --out"
            )
        return (out / MANIFEST).is_file()
    if out.exists() and (not out.is_dir() or any(not path.name.startswith(LEFT_BEHIND) for path in out.iterdir())):
        raise StorageError(f"{out}: exists and is not a run folder; choose another --out")
    return False


def filled(there: Any) -> Any:
    """Return a stored specification with today's defaults for settings that there were none of when it was written."""
    try:
        return RunSpec.parse(there).model_dump(mode="json")
    except UsageError:
        return there


def difference(there: Any, mine: Any, key: str = "") -> str:
    """Name the first setting that two specifications disagree on.

    >>> difference({"seed": 1, "model": {"dim": 32}}, {"seed": 1, "model": {"dim": 64}})
    'model.dim is 32 there, 64 here'
    """
    if isinstance(there, dict) and isinstance(mine, dict):
        for name in [*mine, *there]:
            if there.get(name) != mine.get(name):
                return difference(there.get(name), mine.get(name), f"{key}.{name}" if key else name)
    return f"{key} is {there!r} there, {mine!r} here"


@contextmanager
def locked(out: Path, *, doing: str = "is training here") -> Iterator[None]:
    """Make a folder and hold its lock; a second process gets one clear line that says what the first is `doing`."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        stream = (out / LOCK).open("a+")
    except OSError as error:
        raise StorageError(f"{out}: cannot write ({error.strerror or error}); choose another --out") from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.seek(0)
            raise StorageError(f"{out}: another process {doing} (pid {stream.read().strip()}); wait for it") from None
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM stop training as Ctrl-C does; only the main thread may listen to signals."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def fit(
    data: PreparedData,
    spec: RunSpec,
    semantics: SemanticIds | None,
    *,
    out: Path | None,
    device: str,
    display: Display,
    checkpoints: Checkpoints | None,
    say: Callable[[str], None] = lambda line: None,
) -> Recommender:
    """Run the stages of Algorithm 1 and return the model with its best weights."""
    found = checkpoints.newest(say) if checkpoints else None
    progress = read_progress(found) if found else Progress()
    if found:
        say(f"resumed at stage {progress.stage}, epoch {progress.epoch}, step {progress.step}")

    def save(stage: Stage) -> None:
        if out is not None:
            write_history(out, stage.progress.history)
        if checkpoints is not None:
            checkpoints.maybe_save(stage)

    previous = None
    while True:
        model = start_of_stage(data, spec, semantics, previous, stage=progress.stage, device=device)
        batches = batches_for(model, data, spec, device=device)
        stage = Stage(
            model, batches, spec.train, seed=spec.seed, progress=progress, validate=validation(model, data, spec),
            save=save, display=display, revive=spec.model.codebook.revive,
        )  # fmt: skip
        if found:
            restore(stage, found)
            found = None
        stage.run()
        if progress.stage == stages(spec.model):
            return model
        previous, progress = model, progress.next_stage()


def batches_for(model: Recommender, data: PreparedData, spec: RunSpec, *, device: str) -> TrainingBatches:
    """Return the training batches of a model: one pass serves many targets if its backbone reads prefixes."""
    stride = spec.train.served(spec.model.length) if model.reads_prefixes else None
    loss = loss_of(model, spec.train)
    return TrainingBatches(
        data, length=spec.model.length, batch=spec.train.batch, negatives=loss.each, seed=spec.seed,
        device=device, stride=stride, shared=loss.shared,
    )  # fmt: skip


def start_of_stage(
    data: PreparedData, spec: RunSpec, semantics: SemanticIds | None, previous: Recommender | None, *, stage: int, device: str
) -> Recommender:
    """Build the model of a stage: seeded, on the weights of the stage before, with its codebook's first codes."""
    seed_torch(spec.seed, "parameters", stage)
    of_item = None if semantics is None else torch.from_numpy(semantics.table)
    model = build(spec.model, items=len(data.items), semantic_of_item=of_item, stage=stage).to(device)
    if (codebook := codebook_of(model)) is not None:
        codebook.count(torch.from_numpy(np.array(data.train_counts)).to(device))
    if previous is None and spec.model.start == "content":
        start_from_content(model, data, seed=spec.semantics.seed)
    if previous is not None:
        model.load_state_dict(model.state_dict() | previous.state_dict())
        place_codes(model, spec)
    return model


@torch.no_grad()
def place_codes(model: Recommender, spec: RunSpec) -> None:
    """Start the codebook: from the metacode if there is a trunk (Algorithm 1), else from the trained item table.

    There a code that stands for a semantic id starts from the mean of its items, and the others from k-means.
    """
    codebook = codebook_of(model)
    assert codebook is not None
    trunk = next((module for module in model.modules() if isinstance(module, Trunk)), None)
    size = len(codebook.codes)
    if trunk is not None:
        codes = trunk.semantics.weight[1 : size + 1]
    elif codebook.semantic_of_item is not None:
        codes = mean_of_each(model.items.weight[1:], codebook.semantic_of_item[1:] - 1, size)
    else:
        vectors = model.items.weight[1:].detach().cpu().numpy()
        codes = torch.from_numpy(kmeans(whole(vectors), size, seed=spec.seed).centroids)
    codebook.place(torch.arange(len(codes), device=codebook.codes.device), codes)


def validation(model: Recommender, data: PreparedData, spec: RunSpec) -> Callable[[], dict[str, float | None] | None]:
    """Return the function that measures a model on the validation split, if there is one."""
    if "valid" not in data.manifest["negatives"]:
        return lambda: None
    protocol = spec.train.selection.protocol
    most = max(FEWEST, CELLS // len(data.items)) if protocol == "full" else None

    def measure_valid() -> dict[str, float | None]:
        length = spec.model.length
        return evaluate(ModelScorer(model), data, split="valid", protocol=protocol, most=most, length=length).metrics

    return measure_valid


def trained_vectors(data: PreparedData, *, device: str, display: Display) -> Train:
    """Return a function that trains a static model and gives its item embeddings (V, D)."""

    def train(static: RunSpec) -> np.ndarray:
        model = fit(data, static, None, out=None, device=device, display=display, checkpoints=None)
        return np.asarray(model.items.weight[1:].detach().cpu().numpy())

    return train


def measure(model: Recommender, data: PreparedData, spec: RunSpec) -> dict[str, Any]:
    """Measure the chosen weights on validation, and on the test split: the one time it is opened.

    ``valid`` and ``test`` are under the protocol *paper*, ``valid_full`` and ``test_full`` over the whole catalogue.
    """
    found: dict[str, Any] = {}
    for suffix, protocol in PROTOCOL_KEYS.items():
        for split in ("valid", "test"):
            if split in data.manifest["negatives"]:
                summary = evaluate(ModelScorer(model), data, split=split, protocol=protocol, length=spec.model.length).summary()
                found[f"{split}{suffix}"] = {"seed": spec.seed, "data": spec.data, **summary}
    return found


def finish(
    out: Path,
    data: PreparedData,
    spec: RunSpec,
    model: Recommender,
    *,
    semantics: SemanticIds | None,
    metrics: dict[str, Any],
    seconds: float,
) -> None:
    """Write the final files of the run folder."""
    if not (out / HISTORY).is_file():
        write_history(out, [])
    wanted = [name for name in ("item", "title", "categories") if name in data.catalog.columns]
    catalog = data.catalog.select(wanted).with_columns(training_count=np.asarray(data.train_counts[1:]))
    facts = {
        "digest": spec.digest(), "model": spec.model.name, "backbone": spec.model.backbone, "seed": spec.seed,
        "data": {"path": str(data.path.resolve()), "fingerprint": data.fingerprint, "split": data.manifest["split"],
                 **{key: data.manifest[key] for key in ("users", "items", "interactions")}},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seconds": seconds, "threads": torch.get_num_threads(), "cpu": torch.backends.cpu.get_cpu_capability(),
    }  # fmt: skip
    cold = content_map(data, model, length=spec.model.length, seed=spec.semantics.seed)
    save_run(out, spec, model, catalog=catalog, semantics=semantics, metrics=metrics, facts=facts, cold=cold)

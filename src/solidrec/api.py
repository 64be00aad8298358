"""The Python API: the functions from a log to recommendations, and the class `Model`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Unpack, final

from solidrec.arguments import as_mapping, as_path, as_text
from solidrec.batch_files import recommend_file
from solidrec.console import ProgressBar, console, counted, say, say_warning
from solidrec.data.out_folder import job_of
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.data.readers import read_table
from solidrec.defaults import DEFAULT, chosen_settings, default_parts, run_spec
from solidrec.devices import check_device, computing, computing_on
from solidrec.encoding import encode
from solidrec.errors import IncompatibleError, StorageError, UsageError
from solidrec.evaluate.result import Evaluation
from solidrec.evaluate.runner import Protocol, Seen, evaluate
from solidrec.evaluate.scores import ScoreWriter
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.locks import replacing
from solidrec.recommend.because import reasons
from solidrec.recommend.engine import Engine
from solidrec.recommend.items import add_items as with_items
from solidrec.recommend.items import save_with_items
from solidrec.recommend.questions import Recommendation
from solidrec.recommend.rules import RuleWords, rules_of
from solidrec.runs import Run, load_run
from solidrec.settings import merge, nested, value_at
from solidrec.training.context import RunContext
from solidrec.training.display import Silent
from solidrec.training.memory_plan import check_memory
from solidrec.training.plan import plan as measured_plan
from solidrec.training.run import semantics_for, train_run
from solidrec.training.tracking import check_trackers
from solidrec.updates.delisted import without
from solidrec.updates.new_data import with_new_events
from solidrec.updates.run_update import UpdateSpec, UpdateWords, facts_of, save_update, updated

__all__ = [
    "Model",
    "add_items",
    "encode",
    "load",
    "plan",
    "prepare",
    "recommend_file",
    "train",
    "update",
]


@final
class Model:
    """A trained model, loaded from its run folder, which recommends items and can be evaluated."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.engine = Engine(run)

    def __repr__(self) -> str:
        model = self.run.spec.model
        return (
            f"Model({model.name} on {model.backbone.name}, {len(self.run.items):,} items, "
            f"{self.run.path})"
        )

    def recommend(
        self,
        history: Sequence[str],
        k: int = 10,
        *,
        keep_history: bool = False,
        **rules: Unpack[RuleWords],
    ) -> Recommendation:
        """Return the `k` best items for a history of raw item ids (see `Engine.recommend`).

        The `rules` are those of `recommend.rules.Rules`: ``candidates``, ``exclude``, ``filter``,
        ``boost``, ``diversity`` and ``at_most``.
        """
        return self.engine.recommend(history, k, keep_history=keep_history, rules=rules_of(rules))

    def recommend_many(
        self,
        histories: Sequence[Sequence[str]],
        k: int = 10,
        *,
        keep_history: bool = False,
        **rules: Unpack[RuleWords],
    ) -> list[Recommendation]:
        """Return the `k` best items for each of several histories; the rules are those of all."""
        return self.engine.recommend_many(
            histories, k, keep_history=keep_history, rules=rules_of(rules)
        )

    def because(self, history: Sequence[str], items: Sequence[str]) -> list[dict[str, Any]]:
        """Return why each of `items` is recommended for a history (see `recommend.because`)."""
        return reasons(self.engine, history, items)

    def similar(self, item: str, k: int = 10) -> list[dict[str, Any]]:
        """Return the `k` items nearest to an item."""
        return self.engine.similar(item, k)

    def evaluate(
        self,
        data: PreparedData | Path | str | None = None,
        *,
        split: Literal["valid", "test"] = "test",
        protocol: Protocol = "paper",
        seen: Seen = "filter",
        save_scores: Path | str | None = None,
        progress: bool = False,
    ) -> Evaluation:
        """Measure the model on prepared data, by default on the folder it was trained on.

        `seen` says whether items that a user had before are left out of the whole catalogue (see
        `evaluate.runner`). `save_scores` writes user, item, label and score of every candidate as
        Parquet; a target that cannot be recommended is not a candidate. Raises `IncompatibleError`
        if the model was not trained on this data.
        """
        as_text(split, "split")
        opened = self.data(data)
        with ExitStack() as stack:
            sink = (
                stack.enter_context(ScoreWriter(as_path(save_scores, "save_scores"), opened))
                if save_scores is not None
                else None
            )
            step = stack.enter_context(
                counted(console, "evaluate", len(opened.rows(split)), shown=progress)
            )
            return evaluate(
                scorer_of(self.run.model),
                opened,
                split=split,
                protocol=protocol,
                seen=seen,
                length=self.run.spec.model.history_length,
                sink=sink,
                step=step,
            )

    def data(self, data: PreparedData | Path | str | None) -> PreparedData:
        """Open prepared data, by default the manifest's folder, if the model was trained on it."""
        trained_on = Path(self.run.manifest["data"]["path"])
        if data is None and not trained_on.is_dir():
            raise StorageError(
                f"{trained_on}: the data that {self.run.path} was trained on is gone; "
                "say where it is (--data)"
            )
        opened = _opened(trained_on if data is None else data)
        if opened.fingerprint != self.run.spec.data:
            raise IncompatibleError(
                f"{opened.path}: is data {opened.fingerprint[:12]}, {self.run.path} was trained on "
                f"{self.run.spec.data[:12]}"
            )
        return opened


def _opened(data: PreparedData | Path | str) -> PreparedData:
    return data if isinstance(data, PreparedData) else PreparedData.open(data)


def load(path: Path | str, *, device: str = "cpu") -> Model:
    """Load a run folder as `runs.load_run` does, or raise `UsageError` for a missing device."""
    check_device(device)
    return Model(load_run(path, device=device))


def add_items(
    run: Path | str,
    items: Any,
    *,
    out: Path | str | None = None,
    features: Mapping[str, Any] | None = None,
    columns: Mapping[str, str | None] | None = None,
    category_separator: str | None = None,
    feature_start: int | None = None,
    duplicate_items: Literal["error", "first"] = "error",
    encoding: str = "utf-8",
) -> dict[str, Any]:
    """Make the new items of a table (path or frame) recommendable and return what was added.

    Items that the run folder does not know get an embedding and semantic ids from their content,
    without training. The run is written to `out`, or replaced in place by one rename. `columns`
    names columns by role (``items_id``, ``title``, ``category``). Raises as
    `recommend.items.add_items` does.
    """
    run = as_path(run, "run")
    out = run if out is None else as_path(out, "out")
    columns, encoding = as_mapping(columns, "columns"), as_text(encoding, "encoding")
    if out == run and not run.is_dir():
        load_run(run)  # says what is wrong, before anything is made beside it
    with replacing(out, doing="adds items to this run"):
        before = load_run(run)
        grown = with_items(
            before,
            read_table(items, encoding=encoding),
            features=features,
            columns=columns,
            category_separator=category_separator,
            feature_start=feature_start,
            duplicate_items=duplicate_items,
        )
        return save_with_items(grown, before, out)


def update(
    run: Path | str,
    interactions: Any,
    *,
    out: Path | str,
    data: Path | str | None = None,
    data_out: Path | str | None = None,
    items: Any = None,
    features: Mapping[str, Any] | None = None,
    delisted: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    device: str = "cpu",
    threads: int = 1,
    progress: bool = True,
    **options: Unpack[UpdateWords],
) -> dict[str, Any]:
    """Continue a trained run with new events, users and items, and return what changed.

    `interactions` is a log like the one that `prepare` read; events that the data has already may
    be among its rows. `items` describes items that are new, and `features` are matrices whose rows
    it numbers; `settings` of `prepare` say what differs in how the log is written. The new run is
    written to `out`, and its data, to be updated next time, to `data_out` (default: OUT-data);
    `data` is the folder that `run` was trained on, if it has moved.
    `delisted` are the items that are not to be recommended from now on; by default those of before.
    The `options` are the settings of `updates.run_update.UpdateSpec`. Raises `RefusedError` if the
    update is worse on the newest events than the run before, or cannot be judged.
    """
    run, out, spec = as_path(run, "run"), as_path(out, "out"), UpdateSpec.parse(options)
    data_out = Path(f"{out}-data") if data_out is None else as_path(data_out, "data_out")
    if data_out.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"--data-out {data_out}: lies in --out {out}; choose a folder beside it")
    features = as_mapping(features, "features")
    settings = as_mapping(settings, "settings")
    if isinstance(delisted, str) or not isinstance(delisted, Iterable | None):
        what = "one text" if isinstance(delisted, str) else "no list"
        raise UsageError(f"delisted {delisted!r} is {what}; give a list of ids")
    with computing(device, threads), replacing(out, doing="writes this run"):
        tell = say if progress else say_warning
        before = load_run(run, device=device)
        job = job_of(
            (interactions, items, *features.values()),
            {
                **spec.model_dump(),
                "run": before.manifest["files"],
                "delisted": delisted,
                "settings": settings,
            },
        )
        if out.exists():
            if (done := facts_of(out, job)) is None:
                raise StorageError(f"{out}: exists already; choose another --out")
            tell(f"{out}: the same command wrote it before")
            return done
        prepared = Model(before).data(data)
        with replacing(data_out, doing="writes this data"):
            new = with_new_events(
                before,
                prepared,
                interactions,
                out=data_out,
                items=items,
                features=features,
                settings=settings,
                say=tell,
            )
        if delisted is not None:  # before anything is trained, since it may be refused
            new = replace(new, run=without(new.run, delisted))
        with ProgressBar(console) if progress else nullcontext(Silent()) as display:
            fresh = before.spec.model_copy(update={"data": new.data.fingerprint})
            context = RunContext(new.data, fresh, device=device, display=display, say=tell)
            after, verdict = updated(new, spec, context)
        return save_update(before, after, new, verdict, out=out, job=job)


def plan(
    data: PreparedData | Path | str,
    *,
    model: str | None = None,
    backbone: str | None = None,
    settings: Mapping[str, Any] | None = None,
    device: str = "cpu",
    threads: int = 1,
) -> dict[str, Any]:
    """Return how long `train` would take with the same arguments, and how much memory it needs.

    Some steps are run and measured (see `training.plan.plan`); nothing is written but semantic ids,
    which `train` needs, too.
    """
    opened = _opened(data)
    settings = nested(settings or {})
    if not model and not value_at(settings, "model.name"):
        settings = merge({"model": {"name": DEFAULT}}, settings)
    spec = run_spec(
        opened, model=model, backbone=backbone, seed=None, epochs=None, settings=settings
    )
    with computing(device, threads):
        check_memory(opened, spec, device)
        semantics = semantics_for(RunContext(opened, spec, device=device))
        return measured_plan(opened, spec, semantics, device=device)


def train(
    data: PreparedData | Path | str,
    *,
    model: str | None = None,
    backbone: str | None = None,
    seed: int | None = None,
    epochs: int | None = None,
    epochs_from: Path | str | None = None,
    out: Path | str | None = None,
    overwrite: bool = False,
    settings: Mapping[str, Any] | None = None,
    device: str = "cpu",
    threads: int = 1,
    track: Sequence[str] = (),
    progress: bool = True,
) -> Model:
    """Train a model on prepared data and return it.

    Without a model name, the best known design is trained: a mixture of whatever evidence the data
    has. The default backbone is sasrec and the default seed is 0. `epochs` is the maximum of each
    stage. `epochs_from` is a run whose settings, epochs and passes, chosen on its validation users,
    are used for data without such users (`prepare --fit-all`). `settings` is any part of a
    `RunSpec`, nested (``{"model": {"dim": 64}}``), and is overridden by named arguments. The run
    folder is `out`, or ``runs/<model>-<backbone>-<digest>``; `overwrite` replaces a run of other
    settings there. `threads` is the number of torch threads; one is repeatable and, on a busy
    machine, often the fastest. `track` names trackers that log every epoch besides
    ``history.jsonl``: ``tensorboard``, ``mlflow``. Raises `UsageError` for an unknown name.
    """
    check_trackers(track)
    opened = _opened(data)
    settings = nested(settings or {})
    if epochs_from is not None:
        found = chosen_settings(epochs_from, model=model, epochs=epochs)
        settings = merge(found, settings)
    named = model or value_at(settings, "model.name")
    if not named:
        settings = merge({"model": {"name": DEFAULT}}, settings)
    spec = run_spec(
        opened, model=model, backbone=backbone, seed=seed, epochs=epochs, settings=settings
    )
    name = f"{spec.model.name}-{spec.model.backbone.name}-{spec.digest()}"
    folder = Path("runs", name) if out is None else as_path(out, "out")
    with computing(device, threads):
        if progress:
            if not named:
                say(default_parts(opened))
            say(computing_on(device, threads))
        with ProgressBar(console) if progress else nullcontext(Silent()) as display:
            run = train_run(
                opened,
                spec,
                folder,
                device=device,
                display=display,
                overwrite=overwrite,
                track=track,
                say=say if progress else say_warning,
            )
    return Model(run)

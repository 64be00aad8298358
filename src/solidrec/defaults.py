"""The specification of a run, from named arguments, settings and the best known defaults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.presets import preset
from solidrec.registry import BACKBONES
from solidrec.runs import load_run
from solidrec.semantics.modality import is_described
from solidrec.settings import merge, nested, value_at
from solidrec.spec import MIXTURE_NAMES, RunSpec
from solidrec.training.losses import WHOLE

DEFAULT = "mixture"
"""The model that is trained when none is named."""


def run_spec(
    data: PreparedData,
    *,
    model: str | None,
    backbone: str | None,
    seed: int | None,
    epochs: int | None,
    settings: Mapping[str, Any] | None,
) -> RunSpec:
    """Return the checked specification of `settings`, overridden by the named arguments.

    A mixture, and its neural expert alone (*plain*, but not on a backbone that reads candidates,
    which has no softmax), start from the preset *mixture*, the width that `width` returns, and
    folds that match the split.
    """
    settings = nested(settings or {})
    given = {"model.name": model, "model.backbone": backbone, "train.epochs": epochs, "seed": seed}
    named = nested({key: value for key, value in given.items() if value is not None})
    own: dict[str, Any] = {"data": data.fingerprint, "semantics": {"encoded": data.encoded}}
    name = model or value_at(settings, "model.name")
    encoder = backbone or value_at(settings, "model.backbone.name")
    # An unknown backbone is named when the specification is parsed.
    reads_candidates = encoder in BACKBONES and BACKBONES[encoder].reads_candidates
    if name in MIXTURE_NAMES or (name == "plain" and not reads_candidates):
        folds = "time" if name in MIXTURE_NAMES and data.manifest["split"] == "time" else "users"
        fitting = {"model": {"dim": width(len(data.items))}, "train": {"folds": folds}}
        own = merge(merge(own, preset("mixture")), fitting)
    return RunSpec.parse(merge(merge(own, settings), named))


def width(items: int) -> int:
    """Return the width of a mixture's neural expert, doubled for a small catalogue (docs/log.md).

    >>> width(1_585), width(12_101)
    (256, 128)
    """
    return 256 if items <= WHOLE else 128


def chosen_settings(
    epochs_from: Path | str, *, model: str | None, epochs: int | None
) -> dict[str, Any]:
    """Return the settings of the run `epochs_from`, with epochs chosen on its validation users.

    They serve data without validation users. Raises `UsageError` if `epochs` are given too,
    for a run of another model than `model`, for a run without validation, and for one with two
    stages of epochs, whose second starts from the best epoch of the first.
    """
    run = load_run(epochs_from)
    name = run.spec.model.name
    if epochs is not None:
        raise UsageError(
            f"--epochs {epochs} and --epochs-from {epochs_from} both say how long to train; "
            "give one"
        )
    if model not in (None, name):
        raise UsageError(
            f"--epochs-from {epochs_from}: is a run of {name!r}, not {model!r}; leave --model out"
        )
    best = {
        row["stage"]: row["epoch"]
        for row in run.history
        if row["best"] and row["valid"] is not None
    }
    if not best or (len(best) > 1 and name not in MIXTURE_NAMES):
        raise UsageError(
            f"--epochs-from {run.path}: {name!r} there has no one best epoch on validation; give "
            "--epochs"
        )
    train = {**run.spec.train.model_dump(mode="json"), "epochs": best[1]}
    if name in MIXTURE_NAMES:
        train["passes"] = best.get(2, run.spec.train.passes or 1)
    spec = run.spec.model_dump(mode="json", exclude={"semantics": {"encoded"}})
    # A backbone's own settings at their defaults are left out: another one may not have them.
    encoder = run.spec.model.backbone
    spec["model"]["backbone"] = {
        **encoder.model_dump(mode="json", exclude_defaults=True),
        "name": encoder.name,
    }
    return {"model": spec["model"], "train": train, "semantics": spec["semantics"]}


def default_parts(data: PreparedData) -> str:
    """Describe what the default design is made of, given the evidence in `data`."""
    parts = ["a neural model", "transition memories"]
    parts += ["content", "semantic ids"] if is_described(data) else []
    parts += ["popularity", "recency"] if data.manifest["split"] == "time" else ["popularity"]
    without = "" if is_described(data) else " (the items have no content to read)"
    made = f"{', '.join(parts[:-1])} and {parts[-1]}{without}"
    return f"model: {DEFAULT} of {made}, weighed for each user by what the evidence says"

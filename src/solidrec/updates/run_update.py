"""An update: from a run folder and a new log to a new run folder, if it is no worse."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, TypedDict, final

import numpy as np
from pydantic import Field

from solidrec.artifacts import MANIFEST
from solidrec.data.prepared import PreparedData
from solidrec.errors import RefusedError
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.inference.scorer import neural_of
from solidrec.runs import Run, copy_run, load_run
from solidrec.spec_base import Spec
from solidrec.training.content_start import content_again
from solidrec.training.context import RunContext
from solidrec.updates.new_data import NewData
from solidrec.updates.newest import Held, Verdict, hold_newest, judge
from solidrec.updates.refresh import refreshed


@final
class UpdateSpec(Spec):
    """How an update is made and judged."""

    epochs: int = Field(2, ge=0, description="of a recommender, on the new events")
    newest: float = Field(
        0.2, gt=0, lt=1, description="share of the new events on which the update is judged"
    )
    least_users: int = Field(
        100, ge=2, description="with fewer users among them an update cannot be judged"
    )
    force: bool = Field(False, description="publish whatever the judgement says")


class UpdateWords(TypedDict, total=False):
    """The settings of `UpdateSpec` as arguments."""

    epochs: int
    newest: float
    least_users: int
    force: bool


def updated(new: NewData, spec: UpdateSpec, context: RunContext) -> tuple[Run, Verdict | None]:
    """Return the run continued with all new events, and how it compares with the one before.

    What is judged is continued without the newest events; what is returned goes on from there with
    these, too. Raises `RefusedError` for an update that is worse or cannot be judged, but with
    `UpdateSpec.force`.
    """
    run, data = new.run, new.data
    held = hold_newest(data, new.trained, share=spec.newest)
    _check_enough(held, spec)
    context.say(f"update: held out the newest events of {len(held.rows):,} users, to judge by")
    candidate = refreshed(run, context.but(data=held.data), new.trained, epochs=spec.epochs)
    verdict = judge(
        scorer_of(run.model), scorer_of(candidate), held, length=run.spec.model.history_length
    )
    context.say(f"update: {verdict or 'there is nobody to judge by'}")
    if verdict is not None and verdict.empty and not spec.force:
        raise RefusedError(
            f"the update cannot be judged: {run.path} and its update have none of the newest items "
            f"of {verdict.users:,} users among their ten best; nothing was published (see that ids "
            "are those of training; --force publishes it)"
        )
    if verdict is not None and verdict.worse and not spec.force:
        raise RefusedError(
            f"the update is worse than {run.path}: {verdict}; nothing was published (--force "
            "publishes it; training anew may serve better)"
        )
    context.say("update: going on with the newest events")
    judged = dataclasses.replace(run, model=candidate)
    of_event = np.repeat(held.data.train_end, np.diff(data.offsets))
    trained = new.trained | (np.arange(len(of_event)) < of_event)
    final_model = refreshed(judged, context, trained, epochs=spec.epochs)
    return _finished(dataclasses.replace(judged, model=final_model), data, context), verdict


def _check_enough(held: Held, spec: UpdateSpec) -> None:
    """Raise `RefusedError` if there are too few users to judge by."""
    count = len(held.rows)
    if not spec.force and count < spec.least_users:
        raise RefusedError(
            f"only {count:,} users have a new event to judge by, {spec.least_users:,} are needed; "
            "bring more events, hold out more (--newest 0.5), or say --least-users or --force"
        )


def _finished(run: Run, data: PreparedData, context: RunContext) -> Run:
    """Return the run with the counts of the new data, and the map from content fitted again."""
    cold = run.cold
    if cold is not None:
        cold = content_again(
            cold.content,
            data,
            neural_of(run.model),
            length=run.spec.model.history_length,
            seed=run.spec.semantics.seed,
        )
    counts = np.asarray(data.train_counts[1:])
    catalog = run.catalog.with_columns(training_count=counts)
    return dataclasses.replace(run, spec=context.spec, catalog=catalog, cold=cold)


def save_update(
    before: Run, after: Run, new: NewData, verdict: Verdict | None, *, out: Path, job: str
) -> dict[str, Any]:
    """Write the run `after` to `out` by one rename, and return what was added and judged.

    `job` names the call, so that the same one finds that it is done.
    """
    data = new.data
    entry = {
        "added": new.added,
        "judged": None if verdict is None else verdict.to_json(),
        "before": before.spec.data,
    }
    copy_run(
        after,
        out,
        facts={
            "digest": after.spec.digest(),
            "data": {
                "path": str(data.path.resolve()),
                "fingerprint": data.fingerprint,
                "split": data.manifest["split"],
                **{key: data.manifest[key] for key in ("users", "items", "interactions")},
            },
            "added_items": 0,
            "parameters": sum(one.numel() for one in after.model.parameters()),
            "updates": [*before.manifest.get("updates", []), entry | {"job": job}],
        },
        metrics={},
    )
    return {"run": str(out), "data": str(data.path.resolve()), **entry}


def facts_of(out: Path, job: str) -> dict[str, Any] | None:
    """Return what `save_update` returned for a finished run of the same call, None for another."""
    if not job or not (out / MANIFEST).is_file():
        return None
    manifest = load_run(out).manifest
    updates = manifest.get("updates", [])
    if not updates or updates[-1]["job"] != job:
        return None
    entry = {key: value for key, value in updates[-1].items() if key != "job"}
    return {"run": str(out), "data": str(manifest["data"]["path"]), **entry}

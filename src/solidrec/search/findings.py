"""The findings of a search: its trials, a sentence, a table, and the best settings as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from rich.table import Table
from rich.text import Text

from solidrec.disk import write_file
from solidrec.epochs import score_of
from solidrec.spec import RunSpec

BEST = "best.toml"


@final
@dataclass(frozen=True)
class Trial:
    """One trial: the settings that vary, the digest of its specification, and its result."""

    number: int
    settings: dict[str, Any]
    digest: str
    valid: Mapping[str, float | None] | None
    epochs: int
    seconds: float
    error: str | None
    select: str = "UAUC"

    @property
    def score(self) -> float:
        """The validation metric that judges the trial (`train.select`), 0 if it failed."""
        return score_of({"valid": self.valid, "select": self.select}) or 0.0


def best_of(trials: Iterable[Trial]) -> Trial:
    """Return the trial with the best score, the earliest of equals; a failed one comes last."""
    return max(trials, key=lambda trial: (not trial.error, trial.score, -trial.number))


def line(trial: Trial, trials: Iterable[Trial]) -> str:
    """Say in one line how a trial went, and which is the best so far."""
    settings = " ".join(f"{key}={value}" for key, value in trial.settings.items())
    if trial.error:
        return f"trial {trial.number}: {trial.error} ({settings})"
    best = best_of(trials)
    now = "the best so far" if best is trial else f"best {best.score:.4f}, trial {best.number}"
    how = f"{trial.epochs} epochs, {trial.seconds:.0f} s"
    return (
        f"trial {trial.number}: valid {trial.select} {trial.score:.4f} ({now}), {settings}, {how}"
    )


def finding(trials: Sequence[Trial]) -> str:
    """Say whether a trial beats trial 0, which has the settings that the search started from.

    >>> finding([Trial(0, {}, "", {"UAUC": 0.75}, epochs=3, seconds=1.0, error=None)])
    'One trial, where the search starts: valid UAUC 0.7500; more --trials try other settings.'
    """
    first, *others = trials
    best = best_of(trials)
    if not others:
        return (
            f"One trial, where the search starts: valid {first.select} {first.score:.4f}; more "
            "--trials try other settings."
        )
    if best is first:
        started = f"where the search started: valid {first.select} {first.score:.4f}"
        return f"No other trial of {len(others)} is above trial 0, {started}."
    start = (
        "could not be measured"
        if first.error
        else f"has {first.score:.4f}, {best.score - first.score:.4f} less"
    )
    what = f"Trial {best.number} is the best of {len(trials)}: valid {best.select} {best.score:.4f}"
    return f"{what}; trial 0, where the search started, {start}."


def table(found: Mapping[str, Any]) -> Table:
    """Return the trials as a table, the best in bold."""
    keys = list(found["default"]["settings"])
    shown = Table("trial", *keys, title="judged on validation users", title_justify="left")
    judge = found["best"]["select"].removeprefix("full ")
    names = tuple(dict.fromkeys((judge, "UAUC", "NDCG@10")))[:2]
    for name in (*(f"valid {metric}" for metric in names), "epochs", "seconds"):
        shown.add_column(name, justify="right")
    for trial in found["trials"]:
        valid = trial["valid"] or {}
        metrics = ["-" if (value := valid.get(name)) is None else f"{value:.4f}" for name in names]
        cells = [
            f"{trial['number']}{' (start)' if trial['number'] == 0 else ''}",
            *(str(trial["settings"][key]) for key in keys),
            *metrics,
            "failed" if trial["error"] else str(trial["epochs"]),
            f"{trial['seconds']:.1f}",
        ]
        style = "bold" if trial["number"] == found["best"]["number"] else ""
        shown.add_row(*(Text(cell, style=style) for cell in cells))
    return shown


def write_best(out: Path, spec: RunSpec, text: str) -> None:
    """Write a run's specification, except its data, as TOML for ``solidrec train --config``."""
    values = spec.model_dump(
        mode="json", exclude={"data": True, "semantics": {"encoded"}}, exclude_none=True
    )
    lines = [f"# {text}", "# Take it with: solidrec train DATA --config best.toml", *_toml(values)]
    write_file(
        out / BEST,
        lambda temporary: temporary.write_text("\n".join(lines) + "\n", encoding="utf-8"),
    )


def _toml(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield nested values as lines of TOML with dotted keys, each value as JSON (valid TOML too).

    >>> list(_toml({"seed": 1, "model": {"name": "duet", "clip": 1e-05}, "weights": {"a b": 2.0}}))
    ['seed = 1', 'model.name = "duet"', 'model.clip = 1e-05', 'weights."a b" = 2.0']
    """
    for key, value in values.items():
        name = prefix + (
            key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)
        )
        if isinstance(value, Mapping):
            yield from _toml(value, f"{name}.")
        else:
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}"

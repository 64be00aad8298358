"""The report's small print: the protocol behind every number, and where data, models and file come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from solidrec.artifacts import versions
from solidrec.data.prepared import PreparedData
from solidrec.experiments.report.comparison import MAIN, Contender, seeds
from solidrec.experiments.report.page import escape, facts, table, tag
from solidrec.experiments.report.plots import Series
from solidrec.runs import Run

SPLITS: tuple[Literal["valid", "test"], ...] = ("valid", "test")
Looks = Mapping[str, Series]


def protocol(data: PreparedData, contenders: Sequence[Contender]) -> str:
    """Return the protocol box."""
    evaluation, runs = contenders[0].evaluation, runs_of(contenders)
    skipped = int(np.isnan(evaluation.per_user[MAIN]).sum())
    negatives = data.manifest["negatives"]
    rows = [
        ("split", split_words(data)),
        ("test users", f"{len(evaluation.per_user[MAIN]):,}, of whom {skipped} had nothing to rank and were left out"),
        ("paper protocol", f"each target among {evaluation.negatives} items that its user never touched, drawn uniformly without "
                           f"replacement, fixed by seed {negatives.get('seed')} for all models"),
        ("full protocol", f"each target among all {len(data.items):,} items less those that its user had seen before"),
        ("metrics", "per user first, then the mean over users; AUC alone is pooled over all scores; equal scores count by the "
                    "expectation over their orders; coverage is the share of the catalogue in anybody's first ten places"),
        *training_words(data, runs),
        ("seeds", f"{seeds(contenders)}; the spread over seeds is not measured here"),
        ("rows", rows_words(data)),
        ("data fingerprint", f"{data.fingerprint[:12]} (sha256 of everything that a model reads)"),
    ]  # fmt: skip
    return facts([(name, escape(value)) for name, value in rows])


def runs_of(contenders: Sequence[Contender]) -> list[Run]:
    """Return the runs among the contenders."""
    return [entry.run for entry in contenders if entry.run is not None]


def split_words(data: PreparedData) -> str:
    """Say how events became train, validation and test."""
    held = [split for split in SPLITS if split in data.manifest["negatives"]]
    counts = ", ".join(f"{len(data.rows(split)):,} {split} targets" for split in held) or "nothing held out"
    trained = int((data.train_end - data.offsets[:-1]).sum())
    tied = data.manifest.get("last_item_tied_users")
    ties = f"; the last item of {tied:,} users is tied in time" if tied else ""
    how = f"{data.manifest['split']}, ordered by {data.manifest['order']}"
    return f"{how}: {trained:,} training events, {counts}{ties}"


def training_words(data: PreparedData, runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Say how the runs were trained and chosen."""
    if not runs:
        return [("training", "none: baselines only")]
    drawn = sorted({run.spec.train.negatives for run in runs})
    epochs = sorted({run.spec.train.epochs for run in runs})
    patience = sorted({run.spec.train.patience for run in runs})
    judged = " and ".join(dict.fromkeys(run.spec.train.select for run in runs))
    rule = f"the epoch with the best {judged} on the validation split; the test split played no part in it"
    if "valid" not in data.manifest["negatives"]:
        rule = "the last epoch: there is no validation split"
    fresh = f"{listed(drawn)} for each positive, drawn afresh every epoch from items without a training event of the user"
    return [
        ("training negatives", fresh),
        ("selection", f"{rule}; at most {listed(epochs)} epochs a stage, patience {listed(patience)}"),
    ]


def listed(values: Sequence[object]) -> str:
    """Return values in words.

    >>> listed([5]), listed([5, 15])
    ('5', '5 or 15')
    """
    return " or ".join(str(value) for value in values)


def rows_words(data: PreparedData) -> str:
    """Say what became of every row of the input."""
    rows = data.manifest["rows"]
    parts = [f"{rows['kept']:,} kept"]
    parts += [f"{count:,} rejected ({reason})" for reason, count in rows["rejected"].items()]
    parts += [f"{count:,} dropped ({rule})" for rule, count in rows["dropped"].items()]
    return f"{rows['in']:,} in = {' + '.join(parts)}"


def provenance(data: PreparedData, contenders: Sequence[Contender], looks: Looks, *, command: str, seconds: float) -> str:
    """Return the data's terms, the models' sizes, the command, the time and the versions."""
    manifest = data.manifest
    rows = [
        ("data", escape(manifest["source"])),
        ("size", escape(f"{manifest['users']:,} users, {manifest['items']:,} items, {manifest['interactions']:,} interactions")),
        ("fingerprint", f"<code>{escape(data.fingerprint)}</code>"),
        ("command", f"<code>{escape(command)}</code>"),
        ("time", escape(f"{seconds / 60:.1f} minutes in all")),
        ("versions", escape(", ".join(f"{name} {version}" for name, version in versions().items()))),
        *((("notes on the data", escape("; ".join(manifest["notes"]))),) if manifest.get("notes") else ()),
    ]
    return facts(rows) + run_table(contenders, looks)


def run_table(contenders: Sequence[Contender], looks: Looks) -> str:
    """Return the size, the seed and the name of every run."""
    rows = []
    for entry in contenders:
        if entry.run is not None:
            found, spec = entry.run.manifest, entry.run.spec
            names = [f"<code>{escape(name)}</code>" for name in (spec.model.name, spec.model.backbone, spec.digest())]
            sizes = [f"{found['parameters']:,}", str(spec.seed), f"{found['seconds'] / 60:.1f}", str(found["threads"])]
            rows.append([tag(looks[entry.name]), *names, *sizes])
    head = ["", "--model", "--backbone", "digest", "parameters", "seed", "minutes", "threads"]
    return table(head, rows) if rows else ""

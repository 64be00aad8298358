"""The protocol behind every number of a report, and where the numbers come from."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from solidrec.data.prepared import PreparedData
from solidrec.epochs import select_of
from solidrec.experiments.results import Record
from solidrec.experiments.tables.result_table import protocol_label
from solidrec.report.material import Material
from solidrec.report.page import escape, facts, table
from solidrec.settings import flat
from solidrec.terminal import facts_by_key

_SPLITS: tuple[Literal["valid", "test"], ...] = ("valid", "test")
_OWN = ("seed", "semantics.seed", "data")
"""Settings that are the seed or the data of a cell, not a property of its row."""
_OPENED = (
    "once a training, after the epoch was chosen; the test split played no part in training or "
    "choosing"
)
_METRICS = (
    "per user first, then the mean over users; AUC alone is pooled; equal scores count by the "
    "expectation over their orders"
)
_TESTS = (
    "paired over the same users and, where there are several, training seeds; Holm over all "
    "comparisons of a table; a star is for a corrected p below .05 and a positive difference"
)


def protocol(of: Material) -> str:
    """Return the box that describes the protocol."""
    records = _used(of)
    specs = [record["spec"] for record in records if "train" in record["spec"]]
    rows = [
        (
            "data",
            f"{of.plan.data_name}, fingerprint {of.plan.data[:12]} (sha256 of everything that a "
            "model reads)",
        )
    ]
    rows += (
        [("split", _split_words(of.data)), ("rows", _rows_words(of.data))]
        if of.data is not None
        else []
    )
    rows += [(f"protocol {name}", _protocol_words(name, records)) for name in of.plan.protocols]
    if specs:
        trains = [spec["train"] for spec in specs]
        drawn, epochs, patience = (
            _listed(sorted({train[key] for train in trains}))
            for key in ("negatives", "epochs", "patience")
        )
        rows += [
            ("training negatives", f"{drawn} for each positive, drawn afresh every epoch"),
            (
                "selection",
                f"{_selection(records)}; at most {epochs} epochs a stage, patience {patience}",
            ),
        ]
    rows += [
        ("test", _OPENED),
        (
            "seeds",
            f"{of.plan.seeds}: "
            f"{', '.join(map(str, sorted({place.seed for place in of.plan.places})))}",
        ),
        ("tests", _TESTS),
        ("metrics", _METRICS),
    ]
    return facts([(escape(name), escape(value)) for name, value in rows])


def _split_words(data: PreparedData) -> str:
    """Say how events were split into train, validation and test."""
    held = [split for split in _SPLITS if split in data.manifest["negatives"]]
    counts = (
        ", ".join(f"{len(data.rows(split)):,} {split} targets" for split in held)
        or "nothing held out"
    )
    trained = int((data.train_end - data.offsets[:-1]).sum())
    tied = data.manifest.get("last_item_tied_users")
    ties = f"; the last item of {tied:,} users is tied in time" if tied else ""
    how = f"{data.manifest['split']}, ordered by {data.manifest['order']}"
    return f"{how}: {trained:,} training events, {counts}{ties}"


def _rows_words(data: PreparedData) -> str:
    """Say what happened to every row of the input."""
    rows = data.manifest["rows"]
    parts = [f"{rows['kept']:,} kept"]
    parts += [f"{count:,} rejected ({reason})" for reason, count in rows["rejected"].items()]
    parts += [f"{count:,} dropped ({rule})" for rule, count in rows["dropped"].items()]
    return f"{rows['in']:,} in = {' + '.join(parts)}"


def _listed(values: Sequence[object]) -> str:
    """Return values in words.

    >>> _listed([5]), _listed([5, 15])
    ('5', '5 or 15')
    """
    return " or ".join(str(value) for value in values)


def _used(of: Material) -> list[Record]:
    """Return the records of the plan's finished cells, in the plan's order."""
    keys = dict.fromkeys(place.key for place in of.plan.places)
    return [of.results.records[key] for key in keys if key in of.results.records]


def _protocol_words(name: str, records: Iterable[Record]) -> str:
    """Say which items a protocol ranks a target among, and for how many users."""
    found = [record["evaluations"][name] for record in records if name in record["evaluations"]]
    if not found:
        return "not measured yet"
    users, skipped, negatives = (
        _listed([f"{value:,}" for value in sorted({one[key] for one in found})])
        for key in ("users", "skipped", "negatives")
    )
    among = f"among all items less those that its user had seen, {negatives} on average"
    if name == "paper":
        label = protocol_label(name, found[0]["negatives"])
        among = (
            f"({label}) among {negatives} items that its user never touched, fixed for all models"
        )
    return (
        f"each target {among}; {users} test users, of whom {skipped} had nothing to rank and were "
        "left out"
    )


def _selection(records: Iterable[Record]) -> str:
    """Say how the epoch was chosen."""
    trained = [
        record
        for record in records
        if any(stage.get("valid") for stage in record.get("stages", ()))
    ]
    judged = " and ".join(dict.fromkeys(select_of(record["spec"]["train"]) for record in trained))
    return (
        f"the epoch with the best {judged} on validation"
        if judged
        else "the last epoch: there is no validation split"
    )


def provenance(of: Material) -> str:
    """Return the command, data, computing time, versions, machines, and one line per cell."""
    records = _used(of)
    seconds = sum(record["seconds"] for record in records)
    rows = [
        ("command", f"<code>{escape(_command(of))}</code>"),
        ("data", f"<code>{escape(of.plan.data)}</code>"),
        (
            "source of the data",
            escape(of.data.manifest.get("source", "not said"))
            if of.data is not None
            else "the data is gone",
        ),
        *_data_words(of.data),
        ("computing time", f"{_time_text(seconds)} in all, {len(records)} cells"),
        ("versions", _several("versions", records)),
        ("machine", _several("machine", records)),
    ]
    return (
        facts(rows) + "<details><summary>Every cell, with the settings that are its own</summary>"
        f"{_cell_table(of)}</details>"
    )


def _data_words(data: PreparedData | None) -> list[tuple[str, str]]:
    """Return the size of the data and the notes of its preparation."""
    if data is None:
        return []
    known = data.manifest
    size = (
        f"{known['users']:,} users, {known['items']:,} items, "
        f"{known['interactions']:,} interactions"
    )
    notes = [("notes on the data", escape("; ".join(known["notes"])))] if known.get("notes") else []
    return [("size", size), *notes]


def _command(of: Material) -> str:
    """Return the command line that runs the experiment, with all its options."""
    words = ["solidrec experiment run", of.plan.name, of.plan.data_name, f"--seeds {of.plan.seeds}"]
    words += [f"--protocol {name}" for name in of.plan.protocols]
    words += [
        f"--set {shlex.quote(f'{key}={_value_text(value)}')}"
        for key, value in flat(of.plan.settings).items()
    ]
    return " ".join(words)


def _value_text(value: Any) -> str:
    """Write a value as ``--set`` takes it.

    >>> _value_text("din"), _value_text(0.1), _value_text(["id", "text"])
    ('din', '0.1', '["id", "text"]')
    """
    return value if isinstance(value, str) else json.dumps(value)


def _time_text(seconds: float) -> str:
    """Write a duration in minutes or hours.

    >>> _time_text(90), _time_text(5400)
    ('1.5 minutes', '1.5 hours')
    """
    return f"{seconds / 60:.1f} minutes" if seconds < 3600 else f"{seconds / 3600:.1f} hours"


def _code_list(values: Mapping[str, str]) -> str:
    """Return settings as code."""
    return (
        ", ".join(f"<code>{escape(key)} = {escape(value)}</code>" for key, value in values.items())
        or "those of the package"
    )


def _several(key: str, records: Iterable[Record]) -> str:
    """Return the distinct values of `key` in the records, with numbers of cells if they differ."""
    found = Counter(
        ", ".join(f"{name} {value}" for name, value in record[key].items()) for record in records
    )
    if len(found) == 1:
        return escape(next(iter(found)))
    return "<br>".join(f"{escape(text)} ({count} cells)" for text, count in found.items())


def _cell_table(of: Material) -> str:
    """Return one line per cell with its key, size, kept epochs, time and unshared settings."""
    specs = {
        place.key: _settings_of(of.results.records[place.key]["spec"]) for place in of.trained()
    }
    common = set.intersection(*(set(spec.items()) for spec in specs.values())) if specs else set()
    rows = []
    for place in of.plan.places:
        record = of.results.records.get(place.key)
        if record is None:
            rows.append(
                [
                    escape(place.row),
                    str(place.seed),
                    f"<code>{escape(place.key)}</code>",
                    "missing",
                    "",
                    "",
                    "",
                ]
            )
            continue
        own = {
            key: value
            for key, value in specs.get(place.key, {}).items()
            if (key, value) not in common
        }
        kept = (
            " + ".join(
                f"{stage['epoch']} of {stage['epochs']}" for stage in record.get("stages", ())
            )
            or "–"
        )
        size = f"{record['parameters']:,}" if "parameters" in record else "–"
        rows.append(
            [
                escape(place.row),
                str(place.seed),
                f"<code>{escape(place.key)}</code>",
                size,
                escape(kept),
                f"{record['seconds']:.0f}",
                _code_list(own) if own else "–",
            ]
        )
    return table(
        ["", "seed", "key", "parameters", "epoch kept, by stage", "seconds", "its own settings"],
        rows,
    )


def _settings_of(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return a specification flat, without seeds and data."""
    return {key: value for key, value in facts_by_key(spec) if key not in _OWN}

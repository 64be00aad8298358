"""Where the numbers of a report come from, cell by cell."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from solidrec.data.prepared import PreparedData
from solidrec.experiments.results import Record
from solidrec.report.material import Material
from solidrec.report.page import escape, facts, table
from solidrec.settings import flat
from solidrec.terminal import facts_by_key

_OWN = ("seed", "semantics.seed", "data")
"""Settings that are the seed or the data of a cell, not a property of its row."""


def provenance(of: Material) -> str:
    """Return the command, data, computing time, versions, machines, and one line per cell."""
    records = of.records()
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
        named = [escape(place.row), str(place.seed), f"<code>{escape(place.key)}</code>"]
        record = of.results.records.get(place.key)
        if record is None:
            rows.append([*named, "missing", "", "", ""])
            continue
        own = dict(item for item in specs.get(place.key, {}).items() if item not in common)
        kept = [f"{stage['epoch']} of {stage['epochs']}" for stage in record.get("stages", ())]
        rows.append(
            [
                *named,
                f"{record['parameters']:,}" if "parameters" in record else "–",
                escape(" + ".join(kept) or "–"),
                f"{record['seconds']:.0f}",
                _code_list(own),
            ]
        )
    return table(
        ["", "seed", "key", "parameters", "epoch kept, by stage", "seconds", "its own settings"],
        rows,
    )


def _code_list(values: Mapping[str, str]) -> str:
    """Return settings as code, a dash without any."""
    listed = (f"<code>{escape(key)} = {escape(value)}</code>" for key, value in values.items())
    return ", ".join(listed) or "–"


def _settings_of(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return a specification flat, without seeds and data."""
    return {key: value for key, value in facts_by_key(spec) if key not in _OWN}

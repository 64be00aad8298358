"""Tables and lines that commands print: metrics, items, facts, semantic ids, data sets, checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from solidrec import registry
from solidrec.console import shorten
from solidrec.settings import flat

_METRICS = ("NDCG@10", "Recall@10", "NDCG@20", "Recall@20", "UAUC", "AUC")
"""The first columns of a table; the metrics of other packages follow."""
PROTOCOLS = {"full": "whole catalogue", "paper": "1 + 99 uniform"}
"""Descriptions of the protocols; the first is the closest to what a user would get."""
_SEEN = {"filter": ", seen items left out", "keep": ", seen items kept", None: ""}


def shown_metrics() -> tuple[str, ...]:
    """Return the metrics that tables show: `_METRICS` and those that other packages register."""
    return (*_METRICS, *registry.METRICS)


def metrics_table(
    title: str,
    rows: Sequence[tuple[str, Mapping[str, float | None]]],
    names: Sequence[str] | None = None,
) -> Table:
    """Return a table with a row per model and a column per metric, the best values in bold."""
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    best = {}
    for name in names or shown_metrics():
        found = [value for _, values in rows if (value := values.get(name)) is not None]
        if found:
            best[name] = max(found)
            table.add_column(name, justify="right", no_wrap=True)
    for label, values in rows:
        cells = ((values.get(name), top) for name, top in best.items())
        table.add_row(
            label,
            *(
                Text(_number(value), style="bold" if len(rows) > 1 and value == top else "")
                for value, top in cells
            ),
        )
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def items_table(title: str, items: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of recommended items, with the events that raise them if they are known."""
    table = Table(title=title, title_justify="left")
    reasons = any("because" in item for item in items)
    for name in ("", "item", "score", "title", *(["because of"] if reasons else [])):
        table.add_column(name, justify="right" if name in ("", "score") else "left")
    for place, item in enumerate(items, start=1):
        events = item["because"]["events"] if reasons else []
        why = [", ".join(one["title"] or one["item"] for one in events)] if reasons else []
        table.add_row(str(place), item["item"], f"{item['score']:.4f}", item["title"] or "", *why)
    return table


def plan_lines(found: Mapping[str, Any]) -> list[str]:
    """Return the report of `plan`."""
    needed, free = (f"{found[name] / 1e9:.1f} GB" for name in ("memory_bytes", "free_bytes"))
    lines = [
        f"{found['model']} on {found['backbone']}: {found['users']:,} users, {found['items']:,} "
        f"items, {found['interactions']:,} interactions, {found['parameters']:,} parameters",
        f"an epoch: {found['steps']:,} steps, {duration(found['epoch_seconds'])} with validation",
        f"{found['epochs']} epochs, as many take: about {duration(found['seconds'])}; at most "
        f"{duration(found['most_seconds'])}",
        f"memory: {needed} at least, {free} are free on {found['device']}",
    ]
    if found["request_seconds"]:
        rate = 1 / found["request_seconds"]
        lines.append(f"ranking all items: {rate:,.0f} users a second, many at once")
    return lines


def duration(seconds: float) -> str:
    """Return a time for people.

    >>> duration(4.2), duration(240), duration(5400), duration(200_000)
    ('4 s', '4 min', '1.5 h', '2.3 days')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 86_400 else f"{seconds / 86_400:.1f} days"


def facts_table(title: str, facts: Mapping[str, Any]) -> Table:
    """Return nested facts as a table of two columns, with keys joined by dots."""
    table = Table(title=title, title_justify="left", show_header=False)
    for key, value in facts_by_key(facts):
        table.add_row(key, value)
    return table


def facts_by_key(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return nested facts as pairs of dotted key and text.

    >>> facts_by_key({"a": {"b": 1234567, "c": [1, 2]}, "d": None})
    [('a.b', '1,234,567'), ('a.c', '1, 2'), ('d', '-')]
    """
    return [(key, _text_of(value)) for key, value in flat(facts).items()]


def _text_of(value: Any) -> str:
    """Return one value as text."""
    if value is None:
        return "-"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(_text_of(part) for part in value)


def evaluation_tables(summary: Mapping[str, Any]) -> list[Table]:
    """Return tables of metrics with intervals, and of cold, rare and warm targets."""
    label = (
        f"{summary['split']} split, protocol {summary['protocol']}{_SEEN[summary['seen']]}: "
        f"{summary['users']:,} users, {summary['negatives']:,} negatives"
    )
    table = Table("metric", "value", "95 % over users", title=label, title_justify="left")
    for name, value in summary["metrics"].items():
        low, high = summary["intervals"].get(name, (None, None))
        between = "-" if low is None else f"{low:.4f} .. {high:.4f}"
        table.add_row(name, _number(value), between)
    for name, value in summary["debiased"].items():
        table.add_row(f"{name} debiased", _number(value), "-")
    table.add_row("coverage@10", f"{summary['coverage@10']:.4f}", "-")
    if summary["missed"]:
        table.add_row("targets had before", f"{summary['missed']:,}", "missed")
    shown = ("UAUC", "NDCG@10", "Recall@10")
    title = "by training count: cold 0, rare 1-4, warm 5+"
    groups = Table("targets", "count", *shown, title=title)
    for name, found in summary["targets"].items():
        values = (_number(found.get(metric)) for metric in shown)
        groups.add_row(name, f"{found['targets']:,}", *values)
    return [table, groups]


def semantics_table(facts: Mapping[str, Any], samples: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of the contents of a few semantic ids."""
    title = (
        f"{facts['count']:,} semantic ids by {facts['method']} "
        f"over {', '.join(facts['modalities'])} ({facts['reason']})"
    )
    table = Table("id", "items", "label", "some titles", title=title, title_justify="left")
    for sample in samples:
        table.add_row(
            str(sample["semantic"]),
            f"{sample['items']:,}",
            sample["label"] or "",
            " · ".join(shorten(title, 48) for title in sample["titles"]),
        )
    return table


def quality_table(numbers: Sequence[tuple[str, str, str]]) -> Table:
    """Return a table of the numbers of a semantic map: name, value and meaning."""
    table = Table(
        "", "value", "meaning", title="how good the semantic ids are", title_justify="left"
    )
    for name, value, meaning in numbers:
        table.add_row(name.lower(), value, meaning)
    return table


def datasets_tables(
    datasets: Sequence[Mapping[str, Any]], formats: Sequence[Mapping[str, Any]]
) -> list[Table]:
    """Return tables of data sets with published counts and of file formats with their terms."""
    known = Table(title="data sets with published counts", title_justify="left")
    for name in ("--dataset", "files", "users", "items", "interactions", "published by"):
        known.add_column(
            name,
            justify="right" if name in ("users", "items", "interactions") else "left",
            overflow="fold",
        )
    for entry in datasets:
        counts = (f"{value:,}" for value in entry["counts"].values())
        known.add_row(entry["name"], "\n".join(entry["files"]), *counts, entry["by"])
    families = Table(title="files that are recognised", title_justify="left")
    for name in ("--dataset", "files, + items beside them", "from, and under which terms"):
        families.add_column(name, overflow="fold")
    for entry in formats:
        beside = ["+ " + ", ".join(entry["items"])] if entry["items"] else []
        files = [*entry["interactions"], *beside]
        origin = entry["address"].replace(" ", "\n")
        families.add_row(entry["name"], "\n".join(files), f"{origin}\n{entry['terms']}")
    return [known, families]


_MARKS = {"pass": ("✓", "green"), "warning": ("!", "yellow"), "fail": ("✗", "bold red")}


def check_line(entry: Mapping[str, Any]) -> Text:
    """Return one check as a coloured line, with its cause and remedy if it did not pass.

    >>> found = {"status": "fail", "name": "padding", "promise": "padding is invisible"}
    >>> found |= {"measured": "2 items"}
    >>> print(check_line({**found, "cause": "GRU reads it", "cure": "mask it"}).plain)
    ✗ fail    padding       padding is invisible: 2 items
                cause       GRU reads it
                cure        mask it
    """
    mark, style = _MARKS[entry["status"]]
    line = Text.assemble(
        (f"{mark} {entry['status']:<8}", style),
        f"{entry['name']:<14}{entry['promise']}: {entry['measured']}",
    )
    for name in ("cause", "cure") if entry["cause"] else ():
        line.append(f"\n{'':12}{name:<12}{entry[name]}", style if name == "cause" else "")
    return line


def checks_line(report: Mapping[str, Any]) -> str:
    """Return the summary of a report of checks: number, data, duration and failures."""
    at = report["slice"]
    users, items = (f"{at[name]:,} of {at[f'of_{name}']:,} {name}" for name in ("users", "items"))
    semantics = f", semantic ids {report['semantics']}" if report["semantics"] else ""
    names = [entry["name"] for entry in report["checks"]]
    failed = f"failed: {', '.join(report['failed'])}" if report["failed"] else "none failed"
    return (
        f"{report['model']} on {report['backbone']}, {users} and {items}{semantics}: "
        f"{len(names)} checks in {report['seconds']:.1f} s, {failed}"
    )

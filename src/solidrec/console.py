"""What a person sees in a terminal: lines, a progress bar with the time left, tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from solidrec import registry
from solidrec.data.datasets.published import sentence
from solidrec.epochs import score_of, select_of
from solidrec.spec import flat

console = Console(stderr=True, highlight=False, emoji=False)
"""Everything for people goes to standard error; standard output is for results."""
METRICS = ("NDCG@10", "Recall@10", "NDCG@20", "Recall@20", "UAUC", "AUC")
"""The columns of a table, before the metrics of other packages."""
PROTOCOLS = {"full": "whole catalogue", "paper": "1 + 99 uniform"}
"""The protocols in words, the one that says what a user would get first."""
SEEN = {"filter": ", seen items left out", "keep": ", seen items kept", None: ""}
FILE_WIDTH = 120
"""Columns of a table that goes into a file or a pipe, where there is no terminal to ask."""


def say(line: str) -> None:
    """Print one line for people."""
    console.print(line, markup=False, soft_wrap=True)


@final
class Bar:
    """The training display: one bar a stage over all its steps, with loss, validation, speed and time left.

    Where standard error is no terminal, a line every ten epochs and at the end of each stage takes its place.
    """

    def __init__(self, to: Console) -> None:
        self.to = to
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
            TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=to, disable=not to.is_terminal,
        )  # fmt: skip
        self.number = 0
        self.epochs = 0
        self.note = ""

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.progress.stop()

    def stage(self, stage: int, epochs: int, steps: int) -> None:
        """Start a bar."""
        self.epochs, self.number = epochs, stage
        self.task = self.progress.add_task(f"stage {stage}", total=epochs * steps, note="")

    def step(self) -> None:
        """Advance by a step."""
        self.progress.advance(self.task)

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Say how the epoch went."""
        valid = score_of(row)
        shown = "" if valid is None else f" valid {select_of(row)} {valid:.4f}"
        loss = "" if row["loss"] is None else f" loss {row['loss']:.4f}"
        self.note = f"epoch {row['epoch']}{loss}{shown}"
        self.progress.update(self.task, note=self.note)
        if not self.to.is_terminal and row["epoch"] % 10 == 0:
            say(f"stage {self.number}: {self.note}")

    def done(self, row: Mapping[str, Any]) -> None:
        """Close the bar: the best epoch counts."""
        self.progress.update(self.task, total=self.progress.tasks[self.task].completed)
        valid = score_of(row)
        how = "nothing to validate on, the last epoch counts" if valid is None else f"valid {select_of(row)} {valid:.4f}"
        say(f"stage {row['stage']}: best epoch {row['epoch']} (at most {self.epochs}), {how}")


@contextmanager
def counted(to: Console, what: str, total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Yield a function that advances a bar of `total` rows; nothing is drawn unless `shown` on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("left"), TimeRemainingColumn())
    off = not (shown and to.is_terminal)
    with Progress(*columns, console=to, disable=off, speed_estimate_period=3600) as progress:  # a training may take minutes
        task = progress.add_task(what, total=total)
        yield lambda rows: progress.advance(task, rows)


def shown_metrics() -> tuple[str, ...]:
    """Return the metrics that tables show: `METRICS`, and those that other packages register."""
    return (*METRICS, *registry.METRICS)


def metrics_table(
    title: str, rows: Sequence[tuple[str, Mapping[str, float | None]]], names: Sequence[str] | None = None
) -> Table:
    """Return a table with one row a model and one column a metric, the best of each column in bold."""
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    kept = [name for name in names or shown_metrics() if any(values.get(name) is not None for _, values in rows)]
    for name in kept:
        table.add_column(name, justify="right", no_wrap=True)
    found = {name: [v for _, values in rows if (v := values.get(name)) is not None] for name in kept}
    best = {name: max(values) for name, values in found.items()}
    for label, values in rows:
        cells = []
        for name in kept:
            value = values.get(name)
            text = "-" if value is None else f"{value:.4f}"
            cells.append(Text(text, style="bold" if len(rows) > 1 and value == best[name] else ""))
        table.add_row(label, *cells)
    return table


def items_table(title: str, items: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of recommended items."""
    table = Table(title=title, title_justify="left")
    for name in ("", "item", "score", "title"):
        table.add_column(name, justify="right" if name in ("", "score") else "left")
    for place, item in enumerate(items, start=1):
        table.add_row(str(place), item["item"], f"{item['score']:.4f}", item["title"] or "")
    return table


def out(file_width: int = FILE_WIDTH) -> Console:
    """Return the console for results, on standard output, of `file_width` columns where that is no terminal.

    A title such as "[/b] :100:" is printed as it is.
    """
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else file_width)


def prepared_lines(manifest: Mapping[str, Any], path: object) -> list[str]:
    """Return what `prepare` has to say: the source, the counts, where every row went, and the split."""
    rows = manifest["rows"]
    gone = {
        **{f"rejected: {k}": v for k, v in rows["rejected"].items()},
        **{f"dropped: {k}": v for k, v in rows["dropped"].items()},
    }
    fixed = ", ".join(f"{name} {count}" for name, count in manifest["negatives"].items() if name in ("valid", "test"))
    facts = manifest["split_facts"]
    cuts = f" (validation from {facts['valid_from']}, test from {facts['test_from']})" if manifest["split"] == "time" else ""
    lines = [
        f"source: {manifest['source']}",
        f"users {manifest['users']:,} · items {manifest['items']:,} · interactions {manifest['interactions']:,}",
        f"rows in {rows['in']:,} = kept {rows['kept']:,}" + "".join(f" + {count:,} {rule}" for rule, count in gone.items()),
        f"order: {manifest['order']}; users whose last items tie in time: {manifest['last_item_tied_users']:,}",
        f"split: {manifest['split']}{cuts}; negatives a target: {fixed or 'none'}",
        "item side: " + (", ".join(f"{k} ({v['items']:,} items)" for k, v in manifest["modalities"].items()) or "ids alone"),
        *([sentence(manifest["published"])] if manifest.get("published") else []),
        *([f"{alone:,} items of the items file have no interaction: after training, `solidrec items add RUN ITEMS` makes them"
           " recommendable"] if (alone := manifest["catalog"].get("catalog_only")) else []),
        *manifest["notes"],
    ]  # fmt: skip
    # without validation users the default model takes epochs from a run that had some
    chosen = " --epochs-from RUN" if manifest["split"] == "none" else ""
    return [*lines, f"wrote {path}; next: solidrec train {path}{chosen} --out run"]


def encoded_line(name: str, manifest: Mapping[str, Any]) -> str:
    """Return what `encode` has to say: how many items have a vector, and why the others have none.

    >>> why = {"missing": {"no_picture": 2}, "unusable": {}, "notes": {}}
    >>> encoded_line("image", {"encoded": 7, "items": 9, "encoder": "net", "width": 3, **why})
    'image: 7 of 9 items by net, 3 numbers each; no_picture 2'
    """
    counts = {**manifest["missing"], **manifest["unusable"], **manifest["notes"]}
    others = "".join(f"; {reason} {count:,}" for reason, count in counts.items())
    made = f"{manifest['encoded']:,} of {manifest['items']:,} items by {manifest['encoder']}, {manifest['width']:,} numbers each"
    return f"{name}: {made}{others}"


def facts_table(title: str, facts: Mapping[str, Any]) -> Table:
    """Return nested facts as a two-column table, keys joined by dots."""
    table = Table(title=title, title_justify="left", show_header=False)
    for key, value in facts_by_key(facts):
        table.add_row(key, value)
    return table


def facts_by_key(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return nested facts as text, by dotted key.

    >>> facts_by_key({"a": {"b": 1234567, "c": [1, 2]}, "d": None})
    [('a.b', '1,234,567'), ('a.c', '1, 2'), ('d', '-')]
    """
    return [(key, text_of(value)) for key, value in flat(facts).items()]


def text_of(value: Any) -> str:
    """Return one value as text."""
    if value is None:
        return "-"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(text_of(part) for part in value)


def evaluation_tables(summary: Mapping[str, Any]) -> list[Table]:
    """Return the tables of one evaluation: every metric with its interval, and cold, rare and warm targets apart."""
    against = f"{summary['users']:,} users, {summary['negatives']:,} negatives"
    label = f"{summary['split']} split, protocol {summary['protocol']}{SEEN[summary['seen']]}: {against}"
    table = Table("metric", "value", "95 % over users", title=label, title_justify="left")
    for name, value in summary["metrics"].items():
        low, high = summary["intervals"].get(name, (None, None))
        between = "-" if low is None else f"{low:.4f} .. {high:.4f}"
        table.add_row(name, "-" if value is None else f"{value:.4f}", between)
    for name, value in summary["debiased"].items():
        table.add_row(f"{name} debiased", "-" if value is None else f"{value:.4f}", "-")
    table.add_row("coverage@10", f"{summary['coverage@10']:.4f}", "-")
    if summary["missed"]:
        table.add_row("targets had before", f"{summary['missed']:,}", "missed")
    groups = Table("targets", "count", "UAUC", "NDCG@10", "Recall@10", title="by training count: cold 0, rare 1-4, warm 5+")
    for name, found in summary["targets"].items():
        groups.add_row(
            name,
            f"{found['targets']:,}",
            *("-" if (v := found.get(m)) is None else f"{v:.4f}" for m in ("UAUC", "NDCG@10", "Recall@10")),
        )
    return [table, groups]


def shorten(text: str, width: int) -> str:
    """Cut a text to `width` characters.

    >>> shorten("a long title", 8)
    'a long …'
    """
    return text if len(text) <= width else text[: width - 1] + "…"


def semantics_table(facts: Mapping[str, Any], samples: Sequence[Mapping[str, Any]]) -> Table:
    """Return what a few semantic ids contain."""
    title = f"{facts['count']:,} semantic ids by {facts['method']} over {', '.join(facts['modalities'])} ({facts['reason']})"
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
    """Return the numbers of a semantic map: name, value, and what it means."""
    table = Table("", "value", "meaning", title="how good the semantic ids are", title_justify="left")
    for name, value, meaning in numbers:
        table.add_row(name.lower(), value, meaning)
    return table


def datasets_tables(datasets: Sequence[Mapping[str, Any]], formats: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Return the data sets with their published counts, and the families of files with their origin and terms."""
    known = Table(title="data sets with published counts", title_justify="left")
    for name in ("--dataset", "files", "users", "items", "interactions", "published by"):
        known.add_column(name, justify="right" if name in ("users", "items", "interactions") else "left", overflow="fold")
    for entry in datasets:
        counts = (f"{value:,}" for value in entry["counts"].values())
        known.add_row(entry["name"], "\n".join(entry["files"]), *counts, entry["by"])
    families = Table(title="files that are recognised", title_justify="left")
    for name in ("--dataset", "files, + items beside them", "from, and under which terms"):
        families.add_column(name, overflow="fold")
    for entry in formats:
        files = [*entry["interactions"], *(["+ " + ", ".join(entry["items"])] if entry["items"] else [])]
        origin = entry["address"].replace(" ", "\n")
        families.add_row(entry["name"], "\n".join(files), f"{origin}\n{entry['terms']}")
    return [known, families]


MARKS = {"pass": ("✓", "green"), "warning": ("!", "yellow"), "fail": ("✗", "bold red")}


def check_line(entry: Mapping[str, Any]) -> Text:
    """Return one check as a line, in words and in colour, with two more for what is amiss.

    >>> found = {"status": "fail", "name": "padding", "promise": "padding is invisible", "measured": "2 items"}
    >>> print(check_line({**found, "cause": "GRU reads it", "cure": "mask it"}).plain)
    ✗ fail    padding       padding is invisible: 2 items
                cause       GRU reads it
                cure        mask it
    """
    mark, style = MARKS[entry["status"]]
    line = Text.assemble((f"{mark} {entry['status']:<8}", style), f"{entry['name']:<14}{entry['promise']}: {entry['measured']}")
    for name in ("cause", "cure") if entry["cause"] else ():
        line.append(f"\n{'':12}{name:<12}{entry[name]}", style if name == "cause" else "")
    return line


def checks_line(report: Mapping[str, Any]) -> str:
    """Return the last line about a report of checks: how many, on what, how long, and what failed."""
    at = report["slice"]
    users, items = (f"{at[name]:,} of {at[f'of_{name}']:,} {name}" for name in ("users", "items"))
    semantics = f", semantic ids {report['semantics']}" if report["semantics"] else ""
    names = [entry["name"] for entry in report["checks"]]
    failed = f"failed: {', '.join(report['failed'])}" if report["failed"] else "none failed"
    return (
        f"{report['model']} on {report['backbone']}, {users} and {items}{semantics}: "
        f"{len(names)} checks in {report['seconds']:.1f} s, {failed}"
    )

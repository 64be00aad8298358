"""Terminal output for people: lines, and a progress bar with the time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from solidrec.data.datasets.published import sentence
from solidrec.epochs import score_of, select_of

console = Console(stderr=True, highlight=False, emoji=False)
"""Output for people goes to standard error; standard output is for results."""
FILE_WIDTH = 120
"""Columns of a table that is written to a file or pipe, which has no terminal width."""


def say(line: str) -> None:
    """Print one line for people."""
    console.print(line, markup=False, soft_wrap=True)


def say_warning(line: str) -> None:
    """Print a line if it is a warning: what must be seen where no progress is shown."""
    if line.startswith("warning: "):
        say(line)


@final
class ProgressBar:
    """The training display: one bar per stage, with loss, validation metric and time left.

    If standard error is not a terminal, a line is printed every ten epochs and at the end of a
    stage.
    """

    def __init__(self, to: Console) -> None:
        self.to = to
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=to,
            disable=not to.is_terminal,
        )
        self.number = 0
        self.epochs = 0
        self.note = ""

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.progress.stop()

    def stage(self, stage: int, epochs: int, steps: int) -> None:
        """Start the bar of a stage."""
        self.epochs, self.number = epochs, stage
        self.task = self.progress.add_task(f"stage {stage}", total=epochs * steps, note="")

    def step(self) -> None:
        """Advance the bar by one step."""
        self.progress.advance(self.task)

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Show the loss and the validation metric of an epoch."""
        valid = score_of(row)
        shown = "" if valid is None else f" valid {select_of(row)} {valid:.4f}"
        loss = "" if row["loss"] is None else f" loss {row['loss']:.4f}"
        self.note = f"epoch {row['epoch']}{loss}{shown}"
        self.progress.update(self.task, note=self.note)
        if not self.to.is_terminal and row["epoch"] % 10 == 0:
            say(f"stage {self.number}: {self.note}")

    def done(self, row: Mapping[str, Any]) -> None:
        """Close the bar and print the best epoch."""
        self.progress.update(self.task, total=self.progress.tasks[self.task].completed)
        valid = score_of(row)
        how = (
            "nothing to validate on, the last epoch counts"
            if valid is None
            else f"valid {select_of(row)} {valid:.4f}"
        )
        say(f"stage {row['stage']}: best epoch {row['epoch']} (at most {self.epochs}), {how}")


@contextmanager
def counted(to: Console, what: str, total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Yield a function that advances a bar of `total` rows, drawn if `shown` and on a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    off = not (shown and to.is_terminal)
    # The speed is estimated over an hour because one step may be a training of minutes.
    with Progress(*columns, console=to, disable=off, speed_estimate_period=3600) as progress:
        task = progress.add_task(what, total=total)
        yield lambda rows: progress.advance(task, rows)


def out(file_width: int = FILE_WIDTH) -> Console:
    """Return the console for results, which prints texts such as "[/b] :100:" as they are.

    Its width is `file_width` columns if standard output is not a terminal.
    """
    return Console(
        file=sys.stdout,
        highlight=False,
        markup=False,
        emoji=False,
        width=None if sys.stdout.isatty() else file_width,
    )


def prepared_lines(manifest: Mapping[str, Any], path: object) -> list[str]:
    """Return the report of `prepare`: source, counts, kept and dropped rows, and the split."""
    rows = manifest["rows"]
    gone = "".join(
        f" + {count:,} {what}: {rule}"
        for what in ("rejected", "dropped")
        for rule, count in rows[what].items()
    )
    negatives, facts = manifest["negatives"], manifest["split_facts"]
    fixed = ", ".join(f"{k} {v}" for k, v in negatives.items() if k in ("valid", "test"))
    cuts = (
        f" (validation from {facts['valid_from']}, test from {facts['test_from']})"
        if manifest["split"] == "time"
        else ""
    )
    known = ", ".join(f"{k} ({v['items']:,} items)" for k, v in manifest["modalities"].items())
    lines = [
        f"source: {manifest['source']}",
        (
            f"users {manifest['users']:,} · items {manifest['items']:,} · interactions "
            f"{manifest['interactions']:,}"
        ),
        f"rows in {rows['in']:,} = kept {rows['kept']:,}{gone}",
        (
            f"order: {manifest['order']}; users whose last items tie in time: "
            f"{manifest['last_item_tied_users']:,}"
        ),
        f"split: {manifest['split']}{cuts}; negatives a target: {fixed or 'none'}",
        f"item side: {known or 'ids alone'}",
    ]
    if manifest.get("published"):
        lines.append(sentence(manifest["published"]))
    catalog = manifest["catalog"]
    # ids that do not match, not new items, are what many of these rows have then
    strange = (
        catalog.get("written_otherwise")
        or 2 * catalog.get("without_catalog_row", 0) > manifest["items"]
    )
    if (alone := catalog.get("catalog_only")) and not strange:
        lines.append(
            f"{alone:,} items of the items file have no interaction: "
            "after training, `solidrec items add RUN ITEMS` makes them recommendable"
        )
    # Without validation users, the default model needs the epochs of a run that had some.
    chosen = " --epochs-from RUN" if manifest["split"] == "none" else ""
    next_step = f"wrote {path}; next: solidrec train {path}{chosen} --out run"
    return [*lines, *manifest["notes"], next_step]


def encoded_line(name: str, manifest: Mapping[str, Any]) -> str:
    """Return the report of `encode`: how many items have a vector, and why the others have none.

    >>> why = {"missing": {"no_picture": 2}, "unusable": {}, "notes": {}}
    >>> encoded_line("image", {"encoded": 7, "items": 9, "encoder": "net", "width": 3, **why})
    'image: 7 of 9 items by net, 3 numbers each; no_picture 2'
    """
    counts = {**manifest["missing"], **manifest["unusable"], **manifest["notes"]}
    others = "".join(f"; {reason} {count:,}" for reason, count in counts.items())
    made = (
        f"{manifest['encoded']:,} of {manifest['items']:,} items by {manifest['encoder']}, "
        f"{manifest['width']:,} numbers each"
    )
    return f"{name}: {made}{others}"


def shorten(text: str, width: int) -> str:
    """Cut a text to `width` characters.

    >>> shorten("a long title", 8)
    'a long …'
    """
    return text if len(text) <= width else text[: width - 1] + "…"

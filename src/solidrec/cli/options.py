"""Options and arguments that several commands share, with their help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Argument, Option


class SplitOption(StrEnum):
    """The splits that a model can be evaluated on."""

    valid = "valid"
    test = "test"


class Protocol(StrEnum):
    """The two evaluation protocols."""

    paper = "paper"
    full = "full"


class Seen(StrEnum):
    """What protocol *full* does with items that a user had before."""

    filter = "filter"
    keep = "keep"


DataArgument = Annotated[Path, Argument(help="A folder written by `solidrec prepare`.")]
RunArgument = Annotated[Path, Argument(help="A folder written by `solidrec train`.")]
Json = Annotated[bool, Option("--json", help="Print pure JSON on standard output.")]
Device = Annotated[str, Option(help="Where to compute: cpu, cuda, cuda:1, mps.")]
Threads = Annotated[
    int, Option(help="Threads of torch; 1 is repeatable and often fastest on a busy machine.")
]
Config = Annotated[
    Path | None,
    Option(help="A TOML file with settings of the specification, or a preset, for example paper."),
]
Set = Annotated[
    list[str] | None, Option("--set", help="key=value, for example model.dim=64; may be repeated.")
]
HowMany = Annotated[int, Option("-k", help="How many items.")]
Batch = Annotated[
    Path | None,
    Option(
        help="A log as `prepare` reads it (csv, jsonl, Parquet), a table with a 'history' list "
        "column, or a prepared folder: all its users."
    ),
]
UserColumn = Annotated[str | None, Option(help="Default: user, user_id, reviewerID.")]
TimeColumn = Annotated[str | None, Option(help="Default: timestamp, time, unixReviewTime.")]
ItemColumn = Annotated[str | None, Option(help="Default: item, item_id, asin, parent_asin.")]
TitleColumn = Annotated[str | None, Option(help="Default: title, name.")]
CategorySeparator = Annotated[str | None, Option(help="Splits a category string, for example '|'.")]
FeatureStart = Annotated[
    int | None, Option(help="First value of item_idx, 0 or 1, if it cannot be told.")
]

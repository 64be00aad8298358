"""Files of histories as input; files of recommendations or vectors as output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any, Protocol, Unpack

import polars as pl

from solidrec.arguments import as_count, as_mapping, as_path
from solidrec.artifacts import write_table
from solidrec.console import console, counted
from solidrec.data.histories import HISTORY, read_histories
from solidrec.errors import DataError, UsageError
from solidrec.outputs import check_output
from solidrec.recommend.engine import Engine
from solidrec.recommend.questions import Recommendation
from solidrec.recommend.rules import RuleWords
from solidrec.runs import Run

_ANSWERS = {
    "user": pl.String,
    "rank": pl.Int32,
    "item": pl.String,
    "score": pl.Float64,
    "title": pl.String,
}


class Answering(Protocol):
    """What answers histories: a `Model`."""

    run: Run

    def recommend_many(
        self,
        histories: Sequence[Sequence[str]],
        k: int,
        *,
        keep_history: bool,
        **rules: Unpack[RuleWords],
    ) -> list[Recommendation]:
        """Return the `k` best items for each history."""


MOST_UNKNOWN = 0.5
"""The share of a file's events that a model may not know before the ids are taken for others."""


def recommend_file(
    model: Answering,
    batch: Path | str,
    out: Path | str,
    k: int,
    *,
    keep_history: bool = False,
    columns: Mapping[str, str | None] | None = None,
    max_unknown: float = MOST_UNKNOWN,
    **rules: Unpack[RuleWords],
) -> dict[str, int]:
    """Write user, rank, item, score and title for each history of a file and return the counts.

    `batch` is what `read_histories` reads, and the `rules` are those of `Model.recommend`. Raises
    `DataError` if the model does not know more than the share `max_unknown` of the events, and as
    `read_histories` does.
    """
    k, batch, out = as_count(k, "k"), as_path(batch, "batch"), as_path(out, "out")
    columns = as_mapping(columns, "columns")
    histories = _known_histories(model.run, batch, out, columns=columns, max_unknown=max_unknown)
    rows: dict[str, list[Any]] = {name: [] for name in _ANSWERS}
    fallbacks = ignored = 0
    with counted(console, "recommend", len(histories), shown=True) as step:
        for part in histories.iter_slices(1024):
            answers = model.recommend_many(
                part[HISTORY].to_list(), k, keep_history=keep_history, **rules
            )
            for user, answer in zip(part["user"].to_list(), answers, strict=True):
                fallbacks += answer.fallback is not None
                ignored += len(answer.ignored)
                for rank, item in enumerate(answer.items, start=1):
                    for name, value in (("user", user), ("rank", rank), *item.items()):
                        rows[name].append(value)
            step(len(part))
    write_table(out, pl.DataFrame(rows, schema=_ANSWERS))
    counts = {"users": len(histories), "rows": len(rows["user"])}
    return counts | {"fallbacks": fallbacks, "ignored": ignored}


def _known_histories(
    run: Run,
    batch: Path,
    out: Path,
    *,
    columns: Mapping[str, str | None] | None,
    max_unknown: float,
) -> pl.DataFrame:
    """Read the histories of `batch`; raise for ids that are not the model's, or the file `out`."""
    if not isinstance(max_unknown, Real) or not 0 <= float(max_unknown) <= 1:
        raise UsageError(f"--max-unknown {max_unknown}: give a share between 0 and 1")
    if out.exists() and batch.exists() and out.samefile(batch):
        raise UsageError(f"--out {out}: is the file that is read; choose another --out")
    check_output(out, suffix=".parquet")
    histories = read_histories(batch, columns=columns)
    events = histories[HISTORY].explode().drop_nulls()
    unknown = events.filter(~events.is_in(run.items.series.implode()))
    if len(unknown) > max_unknown * len(events):
        raise DataError(
            f"{batch}: the model does not know {len(unknown):,} of {len(events):,} events, for "
            f"example item {unknown[0]!r}; its ids are such as {run.items.id(1)!r}; write "
            "ids as in training, or say --max-unknown 1"
        )
    return histories


def export_items(engine: Engine, out: Path) -> int:
    """Write item and vector as Parquet and return the number of items."""
    check_output(out, suffix=".parquet")
    frame = engine.item_vectors()
    write_table(out, frame)
    return len(frame)


def export_users(engine: Engine, batch: Path, out: Path) -> int:
    """Write user and vector for the histories of a file and return the number of users."""
    histories = _known_histories(engine.run, batch, out, columns=None, max_unknown=MOST_UNKNOWN)
    vectors = engine.user_vectors(histories[HISTORY].to_list())
    write_table(out, pl.DataFrame({"user": histories["user"], "vector": vectors}))
    return len(histories)

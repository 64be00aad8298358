"""What an update is worth: step after step a model is updated, trained anew, or left alone.

    python benchmarks/freshness.py DATA --out FOLDER [--start 0.6] [--days 7] [--steps 8]

DATA is a prepared folder ordered by time. Its events up to the share `--start` train the first
model, with the end of them for validation. After each step of `--days` one model is updated with
the events of the step (`solidrec update`), and one trained anew on all events with the first one's
settings and best epochs (`prepare --fit-all`, `train --epochs-from`). Then both, and the first one
as it was, recommend for the events of the next step, each the items that it knows. Every event that
has an earlier one of its user counts, with all of these as its history; NDCG@10 is averaged within
users, then over users, then over steps by their users. Times are those of the CPU.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from solidrec.api import Model, load, prepare, train, update
from solidrec.data.prepared import PreparedData

_DAY = 86_400
_MODELS = ("left alone", "updated", "trained anew")


def log_of(data: PreparedData) -> pl.DataFrame:
    """Return the events of a prepared folder in the order of time: user, item, timestamp."""
    user = np.repeat(np.arange(len(data.offsets) - 1), np.diff(data.offsets))
    columns = {
        "user": data.users.series.gather(user - 1),
        "item": data.items.series.gather(np.asarray(data.event_items) - 1),
        "timestamp": np.asarray(data.event_times),
    }
    return pl.DataFrame(columns).sort("timestamp", maintain_order=True)


def ndcg(model: Model, before: pl.DataFrame, step: pl.DataFrame) -> tuple[float, int]:
    """Return NDCG@10 on the events of a step, and the number of its users."""
    histories: dict[str, list[str]] = {}
    for user, item in before.select("user", "item").iter_rows():
        histories.setdefault(user, []).append(item)
    asked, rows = [], []
    for user, item in step.select("user", "item").iter_rows():
        own = histories.setdefault(user, [])
        if own:
            asked.append(own.copy())
            rows.append((user, item))
        own.append(item)
    values = []
    for answer, (_, target) in zip(model.recommend_many(asked, 10), rows, strict=True):
        found = [one["item"] for one in answer.items]
        values.append(1 / np.log2(found.index(target) + 2) if target in found else 0.0)
    each = pl.DataFrame({"user": [user for user, _ in rows], "value": values})
    means = each.group_by("user").mean()["value"].to_numpy()
    return float(means.mean()), len(means)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what `work` returns and the CPU seconds that it took."""
    started = time.process_time()
    found = work()
    return found, time.process_time() - started


def first_model(log: pl.DataFrame, items: pl.DataFrame, out: Path, model: str | None) -> Model:
    """Train the first model, or load it."""
    folder = out / "data-0"
    if not folder.is_dir():
        prepare(log, items=items, split="time", out=folder)
    return train(folder, model=model, out=out / "run-0", progress=False)


def after_step(
    step: int, known: pl.DataFrame, clicks: pl.DataFrame, items: pl.DataFrame, out: Path
) -> tuple[dict[str, Any], Model, Model]:
    """Return a row of facts, the updated model and the one trained anew."""
    listed = items.filter(pl.col("item").is_in(clicks["item"].implode()))
    facts, seconds = timed(
        lambda: update(
            out / f"run-{step - 1}",
            clicks,
            items=listed,
            out=out / f"run-{step}",
            force=True,
            progress=False,
        )
    )

    def anew() -> Model:
        prepare(known, items=items, split="none", out=out / f"whole-{step}")
        return train(
            out / f"whole-{step}",
            epochs_from=out / "run-0",
            out=out / f"anew-{step}",
            progress=False,
        )

    again, other = timed(anew)
    row = {"seconds": {"updated": seconds, "trained anew": other}, **facts["added"]}
    return row | {"judged": facts["judged"]}, load(out / f"run-{step}"), again


def main() -> None:
    """Run the steps, print a line for each, and write them to freshness.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=float, default=0.6)
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--model")
    args = parser.parse_args()
    data = PreparedData.open(args.data)
    log, items, out = log_of(data), data.catalog, args.out
    out.mkdir(parents=True, exist_ok=True)
    begin = int(log["timestamp"].quantile(args.start) or 0)
    at = [begin + round(step * args.days * _DAY) for step in range(args.steps + 2)]
    when = pl.col("timestamp")
    first = first_model(log.filter(when < begin), items, out, args.model)
    rows = []
    for step in range(1, args.steps + 1):
        known = log.filter(when < at[step])
        clicks = known.filter(when >= at[step - 1])
        row, fresh, anew = after_step(step, known, clicks, items, out)
        ahead = log.filter((when >= at[step]) & (when < at[step + 1]))
        row = {"step": step, "ahead": len(ahead)} | row
        for name, model in zip(_MODELS, (first, fresh, anew), strict=True):
            row[name], row["users"] = ndcg(model, known, ahead)
        rows.append(row)
        print(json.dumps(row), flush=True)
        (out / "freshness.json").write_text(json.dumps(rows, indent=1) + "\n")
    weights = [row["users"] for row in rows]
    means = {
        name: float(np.average([row[name] for row in rows], weights=weights)) for name in _MODELS
    }
    spent = {name: sum(row["seconds"][name] for row in rows) for name in _MODELS[1:]}
    for name in _MODELS:
        print(f"{name:12}  NDCG@10 {means[name]:.4f}  CPU {spent.get(name, 0):.0f} s")
    print(
        f"updated: {means['updated'] / means['trained anew']:.1%} of the NDCG@10 of training anew, "
        f"at {spent['updated'] / spent['trained anew']:.1%} of its CPU time"
    )


if __name__ == "__main__":
    main()

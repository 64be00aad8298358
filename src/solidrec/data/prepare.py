"""From an interaction log, and an items file if there is one, to a prepared folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from solidrec.artifacts import MANIFEST
from solidrec.data.catalog import Catalog, bare_catalog, feature_source, read_catalog, read_feature
from solidrec.data.clean import CleanLog, Rules, clean
from solidrec.data.datasets.find import find
from solidrec.data.encoded import FEATURE_NAME
from solidrec.data.prepared import Events, PreparedData, write_prepared
from solidrec.data.split import SPLITS, Split, SplitName, by_time, fit_all, leave_one_out, time_cuts
from solidrec.errors import DataError, StorageError, UsageError, nearest
from solidrec.ids import IdMap

_NOT_OPTIONS = ("interactions", "out", "items", "features", "source", "dataset", "overwrite", "progress")


def prepare(
    interactions: Any,
    *,
    out: Path | str,
    items: Any = None,
    features: Mapping[str, Path | str | npt.NDArray[Any]] | None = None,
    dataset: str | None = None,
    user_column: str | None = None,
    item_column: str | None = None,
    items_id_column: str | None = None,
    time_column: str | None = None,
    position_column: str | None = None,
    rating_column: str | None = None,
    title_column: str | None = None,
    category_column: str | None = None,
    category_separator: str | None = None,
    order: Literal["auto", "file"] = "auto",
    ties: Literal["input", "item"] = "input",
    duplicates: Literal["keep", "drop", "error"] = "drop",
    duplicate_items: Literal["error", "first"] = "error",
    split: SplitName = "leave-one-out",
    valid_fraction: float = 0.1,
    test_fraction: float = 0.1,
    valid_from: int | None = None,
    test_from: int | None = None,
    min_rating: float | None = None,
    k_core: int = 0,
    feature_start: Literal[0, 1] | None = None,
    negatives: int = 99,
    seed: int = 0,
    on_bad_row: Literal["strict", "quarantine"] = "strict",
    max_bad_fraction: float = 0.01,
    encoding: str = "utf-8",
    source: str | None = None,
    overwrite: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> PreparedData:
    """Prepare a log for training: clean it, split it, fix its negatives and write it all to the folder `out`.

    `interactions` and `items` are paths (csv, tsv, jsonl, parquet) or polars or pandas DataFrames; `features`
    maps names to .npy files or arrays whose rows the items file numbers, or to a column of
    lists of numbers in it. `source` is a line of provenance.
    `interactions` may be a folder or file of a public data set (`datasets.find`); `dataset` names it, or its format.
    Every row is accounted for in the manifest. Raises `DataError` (what is wrong with which row of which file),
    `UsageError` (an option) or `StorageError` (a path, the disk).
    """
    options = {name: value for name, value in locals().items() if name not in _NOT_OPTIONS}
    out = Path(out)
    found = find(interactions, items=items, dataset=dataset)
    _check(options, features or {}, has_items=found.items is not None)
    _check_out(out, overwrite=overwrite)
    columns = {
        "user": user_column,
        "item": item_column,
        "time": time_column,
        "position": position_column,
        "rating": rating_column,
    }
    rules = Rules(order, ties, duplicates, min_rating, k_core, on_bad_row, max_bad_fraction)

    progress("reading interactions")
    table = found.read_interactions(encoding=encoding)
    cleaned = clean(table, columns=columns, rules=rules)
    rows = cleaned.rows
    events = _events(cleaned)
    progress("splitting")
    parts = _split(events, cleaned.order, split, (valid_fraction, test_fraction), (valid_from, test_from))
    kept = _negatives(events, parts, negatives)

    progress("reading the catalogue")
    catalog, notes = bare_catalog(cleaned.items), table.notes
    item_table = found.read_items(encoding=encoding)
    if item_table is not None:
        notes += item_table.notes
        item_columns = {
            "items_id": items_id_column or (item_column if item_column in item_table.columns else None),
            "title": title_column,
            "category": category_column,
        }
        catalog = read_catalog(
            item_table,
            cleaned.items,
            columns=item_columns,
            category_separator=category_separator,
            duplicate_items=duplicate_items,
        )
    matrices, modalities = {}, _modalities(catalog)
    for name, given in sorted((features or {}).items()):
        source_of, numbered = feature_source(given, item_table, catalog)
        matrices[name], modalities[name] = read_feature(source_of, numbered, name=name, start=feature_start)
        if not modalities[name]["items"]:
            where = f"feature {name!r}" if isinstance(source_of, np.ndarray) else str(source_of)
            raise DataError(f"{where}: no item of the log has a row that is not all zero; does it belong to the items file?")

    progress("writing")
    facts = {
        "rows": rows,
        "split": split,
        "order": cleaned.order,
        "options": options,
        "last_item_tied_users": _tied(events),
        "time_range": [int(events.times.min()), int(events.times.max())],
        "split_facts": parts.facts,
        "catalog": catalog.facts,
        "modalities": modalities,
        "notes": list(notes),
        "source": source or found.source,
        "published": found.published(len(events.users), len(events.item_ids), len(events.items)),
    }
    return write_prepared(
        out,
        events,
        split=parts,
        catalog=catalog.frame,
        features=matrices,
        negatives=kept,
        seed=seed,
        rejected=cleaned.rejected,
        facts=facts,
        overwrite=overwrite,
    )


def _check_out(out: Path, *, overwrite: bool) -> None:
    """Refuse an `out` that exists, and never overwrite anything but a prepared folder."""
    if out.exists() and not overwrite:
        raise StorageError(f"{out}: exists already; choose another --out or say --overwrite")
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / MANIFEST).is_file())):
        raise StorageError(f"{out}: is not a prepared folder, so --overwrite leaves it alone; choose another --out")


def _check(options: Mapping[str, Any], features: Mapping[str, Any], *, has_items: bool) -> None:
    """Refuse, before anything is read, what cannot work."""
    choices = {
        "split": SPLITS,
        "order": ("auto", "file"),
        "ties": ("input", "item"),
        "duplicates": ("keep", "drop", "error"),
        "duplicate_items": ("error", "first"),
        "on_bad_row": ("strict", "quarantine"),
        "feature_start": (None, 0, 1),
    }
    for name, known in choices.items():
        if options[name] not in known:
            raise UsageError(f"{name} {options[name]!r} is unknown{nearest(str(options[name]), map(str, known))}")
    for name in ("negatives", "k_core", "seed"):
        if options[name] < 0:
            raise UsageError(f"{name} is {options[name]}; it must be 0 or more")
    for name in ("valid_from", "test_from"):
        if options[name] is not None and not isinstance(options[name], Integral):
            raise UsageError(f"{name} is {options[name]!r}; give a whole number, as the times of the log are")
    for name in features:
        if not FEATURE_NAME.fullmatch(name) or name == "id":
            raise UsageError(f"feature name {name!r} must be letters, digits, - or _ (at most 64), and not 'id'")
    if features and not has_items:
        raise UsageError("features belong to an items file that numbers their rows; give items= (--items)")


def _events(cleaned: CleanLog) -> Events:
    """Flatten the log: where each user's events begin, and their items and times."""
    offsets = np.concatenate([[0], np.cumsum(np.bincount(cleaned.user, minlength=len(cleaned.users) + 1))])
    return Events(IdMap(cleaned.users), IdMap(cleaned.items), offsets, cleaned.item, cleaned.time)


def _split(
    events: Events, order: str, name: SplitName, fractions: tuple[float, float], cuts: tuple[int | None, int | None]
) -> Split:
    if name != "time" and cuts != (None, None):
        raise UsageError(f"--valid-from and --test-from cut by time, and the split is {name}; give --split time, or none of them")
    if name == "none":
        return fit_all(events.offsets)
    if name == "leave-one-out":
        return leave_one_out(events.offsets)
    if order != "timestamp":
        raise UsageError(f"--split time needs timestamps, the log is ordered by {order}; name the column with --time-column NAME")
    valid_from, test_from = cuts
    if valid_from is None or test_from is None:
        if valid_from is not test_from:
            raise UsageError("valid_from and test_from go together; give both or neither")
        valid_from, test_from = time_cuts(events.times, *fractions)
    return by_time(events.offsets, events.times, valid_from=valid_from, test_from=test_from)


def _negatives(events: Events, split: Split, wanted: int) -> dict[str, int]:
    """Return how many negatives each split gets: as many as wanted, fewer if some user has touched too much."""
    kept = {}
    for name, (users, _) in split.targets.items():
        free = events.unseen.free[users]
        kept[name] = min(wanted, int(free.min()))
        if wanted and not kept[name]:
            user = events.users.id(int(users[free.argmin()]))
            what = f"user {user!r} touched all {len(events.item_ids)} items, so no negative is left"
            raise DataError(f"{what}; remove the user, or say --negatives 0")
    return kept


def _tied(events: Events) -> int:
    """Count the users whose last event has the same time as the one before, so that the last item is arbitrary."""
    last = events.offsets[2:] - 1
    last = last[np.diff(events.offsets)[1:] >= 2]
    return int(np.count_nonzero(events.times[last] == events.times[last - 1]))


def _modalities(catalog: Catalog) -> dict[str, Any]:
    """Return how many items have a title, a category and so on (only what some item has)."""
    frame = catalog.frame
    counts = {name: int(frame[name].count()) for name in frame.columns if name not in ("item", "categories")}
    counts["categories"] = int((frame["categories"].list.len() > 0).sum())
    return {name: {"items": count, "missing": len(frame) - count} for name, count in sorted(counts.items()) if count}

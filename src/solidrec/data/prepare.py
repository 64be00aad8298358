"""Turn an interaction log, and an items file if there is one, into a prepared folder."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from solidrec.artifacts import MANIFEST
from solidrec.data.catalog import Catalog, bare_catalog, read_catalog
from solidrec.data.clean import CleanLog, Rules, clean
from solidrec.data.datasets.find import Found, find
from solidrec.data.encoded import FEATURE_NAME
from solidrec.data.features import read_features
from solidrec.data.out_folder import check_out, job_of
from solidrec.data.prepare_spec import PrepareSpec
from solidrec.data.prepared import Events, PreparedData
from solidrec.data.readers import Table
from solidrec.data.split import Split, by_time, fit_all, leave_one_out, time_cuts
from solidrec.data.write_prepared import write_prepared
from solidrec.errors import DataError, UsageError
from solidrec.id_map import IdMap
from solidrec.locks import replacing


def prepare(
    interactions: Any,
    *,
    out: Path | str,
    items: Any = None,
    features: Mapping[str, Path | str | npt.NDArray[Any]] | None = None,
    dataset: str | None = None,
    source: str | None = None,
    overwrite: bool = False,
    progress: Callable[[str], None] = lambda step: None,
    **options: Any,
) -> PreparedData:
    """Prepare a log for training: clean it, split it, fix its negatives and write it to `out`.

    `interactions` and `items` are paths (csv, tsv, jsonl, parquet) or polars or pandas DataFrames.
    `interactions` may also be a folder or file of a public data set (`datasets.find`); `dataset`
    names the set or its format. `features` maps names to .npy files or arrays whose rows the items
    file numbers, or to a column of number lists in it. `source` is a line of provenance. The
    `options` are the settings of `PrepareSpec`. The manifest accounts for every row. What the
    same call made before it was killed is opened as it is. Raises `DataError` (naming file, row and
    problem), `UsageError` (an option) or `StorageError` (a path, the disk).
    """
    spec, out, features = PrepareSpec.parse(options), Path(out), features or {}
    found = find(interactions, items=items, dataset=dataset)
    _check_features(features, has_items=found.items is not None)
    named = {"features": list(features), "dataset": dataset, "source": source}
    job = job_of((found.interactions, found.items, *features.values()), spec.model_dump() | named)
    with replacing(out, doing="prepares this folder", job=job) as before:
        if job and job == before and (out / MANIFEST).is_file() and not overwrite:
            progress(f"{out}: the same command prepared it before it was killed")
            return PreparedData.open(out)
        check_out(out, overwrite=overwrite)
        write = partial(write_prepared, out, overwrite=overwrite, say=progress)
        facts = {"source": source or found.source}
        return _prepare(found, spec, features, facts=facts, write=write, progress=progress)


def _prepare(
    found: Found,
    spec: PrepareSpec,
    features: Mapping[str, Any],
    *,
    facts: Mapping[str, Any],
    write: Callable[..., PreparedData],
    progress: Callable[[str], None],
) -> PreparedData:
    """Carry out a preparation; `write` puts it in its folder, which is locked."""
    progress("reading interactions")
    table = found.read_interactions(encoding=spec.encoding)
    cleaned = _cleaned(table, spec)
    events = _events(cleaned)
    progress("splitting")
    parts = _split(events, cleaned.order, spec)
    kept = _negatives(events, parts, spec.negatives)

    progress("reading the catalogue")
    item_table = found.read_items(encoding=spec.encoding)
    catalog = _catalog(item_table, cleaned, spec)
    matrices, of_features = read_features(features, item_table, catalog, start=spec.feature_start)

    progress("writing")
    found_out = _facts(cleaned, events, parts, spec=spec) | {
        "catalog": catalog.facts,
        "modalities": _modalities(catalog) | of_features,
        "notes": [*table.notes, *(() if item_table is None else item_table.notes)],
        "published": found.published(len(events.users), len(events.item_ids), len(events.items)),
    }
    return write(
        events,
        split=parts,
        catalog=catalog.frame,
        features=matrices,
        negatives=kept,
        seed=spec.seed,
        rejected=cleaned.rejected,
        facts={**found_out, **facts},
    )


def _with_options(function: Callable[..., Any]) -> inspect.Signature:
    """Return a function's signature with the settings of `PrepareSpec` for its ``**options``."""
    signature = inspect.signature(function)
    own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    settings = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.annotation
        )
        for name, field in PrepareSpec.model_fields.items()
    ]
    return signature.replace(parameters=[*own, *settings])


# so that help() and editors list the settings
prepare.__signature__ = _with_options(prepare)  # type: ignore[attr-defined]


def _cleaned(table: Table, spec: PrepareSpec) -> CleanLog:
    """Read and clean the log."""
    columns = {
        kind: getattr(spec, f"{kind}_column")
        for kind in ("user", "item", "time", "position", "rating")
    }
    return clean(
        table,
        columns=columns,
        rules=Rules(**{rule.name: getattr(spec, rule.name) for rule in fields(Rules)}),
    )


def _catalog(table: Table | None, cleaned: CleanLog, spec: PrepareSpec) -> Catalog:
    """Read the rows of the items file, if there is one, for the items of the log."""
    if table is None:
        return bare_catalog(cleaned.items)
    columns = {
        "items_id": spec.items_id_column
        or (spec.item_column if spec.item_column in table.columns else None),
        "title": spec.title_column,
        "category": spec.category_column,
    }
    return read_catalog(
        table,
        cleaned.items,
        columns=columns,
        category_separator=spec.category_separator,
        duplicate_items=spec.duplicate_items,
    )


def _check_features(features: Mapping[str, Any], *, has_items: bool) -> None:
    """Refuse bad feature names, and features without an items file, before anything is read."""
    for name in features:
        if not FEATURE_NAME.fullmatch(name) or name == "id":
            raise UsageError(
                f"feature name {name!r} must be letters, digits, - or _ (at most 64), and not 'id'"
            )
    if features and not has_items:
        raise UsageError(
            "features belong to an items file that numbers their rows; give items= (--items)"
        )


def _events(cleaned: CleanLog) -> Events:
    """Flatten the log into the offset of each user's events, and their items and times."""
    sizes = np.bincount(cleaned.user, minlength=len(cleaned.users) + 1)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    return Events(IdMap(cleaned.users), IdMap(cleaned.items), offsets, cleaned.item, cleaned.time)


def _split(events: Events, order: str, spec: PrepareSpec) -> Split:
    """Return the split of the events by the settings."""
    cuts = spec.valid_from, spec.test_from
    if spec.split != "time" and cuts != (None, None):
        raise UsageError(
            f"--valid-from and --test-from cut by time, and the split is {spec.split}; give "
            "--split time, or none of them"
        )
    if spec.split == "none":
        return fit_all(events.offsets)
    if spec.split == "leave-one-out":
        return leave_one_out(events.offsets)
    if order != "timestamp":
        raise UsageError(
            f"--split time needs timestamps, the log is ordered by {order}; name the column with "
            "--time-column NAME"
        )
    valid_from, test_from = cuts
    if valid_from is None or test_from is None:
        if valid_from is not test_from:
            raise UsageError("valid_from and test_from go together; give both or neither")
        valid_from, test_from = time_cuts(events.times, spec.valid_fraction, spec.test_fraction)
    return by_time(events.offsets, events.times, valid_from=valid_from, test_from=test_from)


def _negatives(events: Events, split: Split, wanted: int) -> dict[str, int]:
    """Return how many negatives each split gets: `wanted`, or fewer if a user has fewer left."""
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
    """Count the users whose last two events have the same time, so that the last is arbitrary."""
    # the last event of every user with at least two
    last = events.offsets[2:] - 1
    last = last[np.diff(events.offsets)[1:] >= 2]
    return int(np.count_nonzero(events.times[last] == events.times[last - 1]))


def _facts(cleaned: CleanLog, events: Events, parts: Split, *, spec: PrepareSpec) -> dict[str, Any]:
    """Return what the manifest says of the log and its split."""
    return {
        "rows": cleaned.rows,
        "split": spec.split,
        "order": cleaned.order,
        "options": spec.model_dump(),
        "last_item_tied_users": _tied(events),
        "time_range": [int(events.times.min()), int(events.times.max())],
        "split_facts": parts.facts,
    }


def _modalities(catalog: Catalog) -> dict[str, Any]:
    """Return how many items have a title, a category and so on, if any item has it."""
    frame = catalog.frame
    counts = {name: int(frame[name].count()) for name in frame.columns if name != "item"}
    counts["categories"] = int((frame["categories"].list.len() > 0).sum())
    return {
        name: {"items": count, "missing": len(frame) - count}
        for name, count in sorted(counts.items())
        if count
    }

"""Turn an interaction log, and an items file if there is one, into a prepared folder."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from solidrec.arguments import as_path, as_text
from solidrec.artifacts import MANIFEST
from solidrec.data.catalog import Catalog, bare_catalog, read_catalog
from solidrec.data.clean import CleanLog, Rules, clean
from solidrec.data.datasets.find import Found, find
from solidrec.data.encoded import FEATURE_NAME
from solidrec.data.evaluated import evaluated
from solidrec.data.features import check_given, read_features
from solidrec.data.out_folder import check_out, job_of
from solidrec.data.prepare_spec import PrepareSpec
from solidrec.data.prepared import Events, PreparedData
from solidrec.data.split import Split, tied_last
from solidrec.data.split_log import split_log
from solidrec.data.table import Table
from solidrec.data.write_prepared import write_prepared
from solidrec.errors import UsageError
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
    `interactions` may also be a list of paths or a pattern such as ``log-*.csv``, which are one
    log, or a folder or file of a public data set (`datasets.find`); `dataset` names the set or its
    format. `features` maps names to .npy files or arrays whose rows the items file numbers, or to a
    column of number lists in it. `source` is a line of provenance. The `options` are the settings
    of `PrepareSpec`. The manifest accounts for every row. What the same call made before it was
    killed is opened as it is. Raises `DataError` (naming file, row and problem), `UsageError` (an
    option) or `StorageError` (a path, the disk).
    """
    spec, out = PrepareSpec.parse(options), as_path(out, "out")
    features = {} if features is None else features
    if source is not None:
        as_text(source, "source")
    found = find(interactions, items=items, dataset=dataset)
    _check_features(features, has_items=found.items is not None)
    _check_columns(spec, has_items=found.items is not None)
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
    table = found.read_interactions(encoding=spec.encoding, delimiter=spec.delimiter)
    cleaned = cleaned_log(table, spec)
    events = _events(cleaned)
    progress("splitting")
    given = split_log(events, cleaned, spec)
    parts, kept, on_users = evaluated(events, given, spec.negatives)

    progress("reading the catalogue")
    item_table = found.read_items(encoding=spec.encoding, delimiter=spec.delimiter)
    of_vectors = [str(given) for given in features.values() if isinstance(given, str | Path)]
    catalog = catalog_of(item_table, cleaned.items, spec, of_vectors=of_vectors)
    of_features = read_features(features, item_table, catalog, start=spec.feature_start)

    progress("writing")
    found_out = _facts(cleaned, events, parts, spec=spec) | {
        "catalog": catalog.facts,
        "modalities": _modalities(catalog) | of_features.facts,
        "notes": [
            *table.notes,
            *cleaned.notes,
            *(() if item_table is None else item_table.notes),
            *catalog.notes,
            *of_features.notes,
            *on_users,
        ],
        "published": found.published(len(events.users), len(events.item_ids), len(events.items)),
    }
    return write(
        events,
        split=parts,
        catalog=catalog.frame,
        attributes=catalog.attributes,
        features=of_features.matrices,
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


def cleaned_log(table: Table, spec: PrepareSpec) -> CleanLog:
    """Read and clean a log by the columns and rules of a specification."""
    columns = {
        kind: getattr(spec, f"{kind}_column")
        for kind in ("user", "item", "time", "position", "rating", "split", "sequence")
    }
    return clean(
        table,
        columns=columns,
        rules=Rules(**{rule.name: getattr(spec, rule.name) for rule in fields(Rules)}),
    )


def catalog_of(
    table: Table | None, items: pl.Series, spec: PrepareSpec, *, of_vectors: Collection[str] = ()
) -> Catalog:
    """Read the rows of the items file, if there is one, for some items.

    Its columns `of_vectors` are read elsewhere.
    """
    if table is None:
        return bare_catalog(items)
    columns = {
        "items_id": spec.items_id_column
        or (spec.item_column if spec.item_column in table.columns else None),
        "title": spec.title_column,
        "category": spec.category_column,
    }
    return read_catalog(
        table,
        items,
        columns=columns,
        category_separator=spec.category_separator,
        duplicate_items=spec.duplicate_items,
        also_read=of_vectors,
    )


def _check_features(features: Mapping[str, Any], *, has_items: bool) -> None:
    """Refuse bad feature names, and features without an items file, before anything is read."""
    check_given(features)
    for name in features:
        if not isinstance(name, str) or not FEATURE_NAME.fullmatch(name) or name == "id":
            raise UsageError(
                f"feature name {name!r} must be letters, digits, - or _ (at most 64), and not 'id'"
            )
    if features and not has_items:
        raise UsageError(
            "features belong to an items file that numbers their rows; give items= (--items)"
        )


def _check_columns(spec: PrepareSpec, *, has_items: bool) -> None:
    """Refuse columns of an items file where there is none."""
    for name in ("items_id_column", "title_column", "category_column"):
        if not has_items and (given := getattr(spec, name)) is not None:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{option} {given}: names a column of an items file; give items= (--items)"
            )


def _events(cleaned: CleanLog) -> Events:
    """Flatten the log into the offset of each user's events, and their items and times."""
    sizes = np.bincount(cleaned.user, minlength=len(cleaned.users) + 1)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    return Events(IdMap(cleaned.users), IdMap(cleaned.items), offsets, cleaned.item, cleaned.time)


def _facts(cleaned: CleanLog, events: Events, parts: Split, *, spec: PrepareSpec) -> dict[str, Any]:
    """Return what the manifest says of the log and its split."""
    return {
        "rows": cleaned.rows,
        "split": spec.split if cleaned.split is None else "given",
        "order": cleaned.order,
        "options": spec.model_dump(),
        "last_item_tied_users": tied_last(events.offsets, events.times),
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

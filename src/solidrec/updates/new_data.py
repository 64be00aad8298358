"""The data of an update: prepared data with new events, and the run with the new items."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
import polars as pl

from solidrec.arrays import Floats32
from solidrec.data.append import Appended, appended
from solidrec.data.catalog import Catalog, renewed
from solidrec.data.clean import CleanLog
from solidrec.data.datasets.find import find
from solidrec.data.features import check_given, read_features
from solidrec.data.matching import compare_new_items, compare_new_users
from solidrec.data.out_folder import job_of
from solidrec.data.prepare import catalog_of, cleaned_log
from solidrec.data.prepare_spec import PrepareSpec
from solidrec.data.prepared import PreparedData
from solidrec.data.split import fit_all
from solidrec.data.write_prepared import write_prepared
from solidrec.errors import DataError, StorageError, UsageError
from solidrec.recommend.items import grown
from solidrec.runs import Run

_Features = Mapping[str, Path | str | npt.NDArray[Any]]


@final
@dataclass(frozen=True)
class NewData:
    """Prepared ``data`` that holds old and new events, all of them for training.

    ``trained`` (N,) says which events the run was trained on, ``run`` is the run with the new items
    behind its own, and ``added`` counts what is new.
    """

    data: PreparedData
    trained: npt.NDArray[np.bool_]
    run: Run
    added: dict[str, int]


def with_new_events(
    run: Run,
    data: PreparedData,
    interactions: Any,
    *,
    out: Path,
    items: Any = None,
    features: _Features | None = None,
    settings: Mapping[str, Any] | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> NewData:
    """Write prepared data with the events of a new log behind those of `data` to the folder `out`.

    The log is read as `prepare` read the first one, but for the `settings` (of `PrepareSpec`).
    `items` describes the new items, and gives known ones new values of the columns that rules read;
    `features` are matrices whose rows it numbers. A folder that the same call wrote before is
    opened as it is. Raises `DataError` for a log that cannot be used, has no new event, or has
    items of which hardly any is known or described, and `StorageError` for another folder that
    exists.
    """
    features = {} if features is None else features
    _check_features(features, data)
    # Neither a given split nor a k-core can be continued: both are about the whole log.
    options = data.manifest["options"] | {"split_column": None, "k_core": 0}
    spec = PrepareSpec.parse(options | dict(settings or {}))
    found = find(interactions, items=items, dataset=None)
    clicks = found.read_interactions(encoding=spec.encoding, delimiter=spec.delimiter)
    log = cleaned_log(clicks, spec)
    both = appended(data, log, vocabulary=run.items)
    if not both.added:
        raise DataError(
            f"{clicks.name}: all of its {both.known:,} events are known already; bring new ones"
        )
    known, new = len(run.items), len(both.events.item_ids) - len(run.items)
    table = found.read_items(encoding=spec.encoding, delimiter=spec.delimiter)
    of_vectors = [str(given) for given in features.values() if isinstance(given, str | Path)]
    whole = catalog_of(
        table, both.events.item_ids.series.alias("item"), spec, of_vectors=of_vectors
    )
    described = both.events.item_ids.series.filter(pl.Series(whole.rows >= 0))
    told = pl.concat([run.items.series, described]).unique(maintain_order=True)
    for note in (
        *compare_new_items(log.items, told, name=clicks.name),
        *compare_new_users(log.users, data.users.series, name=clicks.name),
    ):
        say(note)
    run = dataclasses.replace(run, attributes=renewed(run.attributes, whole))
    catalog = whole.behind(known)
    given = read_features(features, table, catalog, start=spec.feature_start).matrices
    for name in sorted(data.encoded.keys() - features.keys()) if new else ():
        say(
            f"warning: feature {name!r} was encoded, and {new:,} new items have none: give "
            f"--features {name}=FILE.npy, or train anew"
        )
    matrices = {
        name: _longer(matrix, given.get(name), known, new) for name, matrix in data.features.items()
    }
    job = job_of(
        (interactions, items, *features.values()),
        {"data": data.fingerprint, "run": run.manifest["files"], **spec.model_dump()},
    )
    bigger = _grown_run(run, catalog, matrices)
    written = _written(
        out,
        both,
        log,
        before=data,
        run=bigger,
        catalog=catalog,
        matrices=matrices,
        job=job,
        say=say,
    )
    added = {
        "events": both.added,
        "known_events": both.known,
        "users": len(both.events.users) - len(data.users),
        "items": new,
    }
    return NewData(written, both.trained, bigger, added)


def _check_features(features: _Features, data: PreparedData) -> None:
    """Raise `UsageError` for features that are not well given, or that the data does not have."""
    check_given(features)
    for name in features:
        if name not in data.features:
            raise UsageError(
                f"feature {name!r}: {data.path} was prepared without it (it has "
                f"{', '.join(sorted(data.features)) or 'none'})"
            )


def _longer(matrix: Floats32, given: Floats32 | None, known: int, new: int) -> Floats32:
    """Return a feature matrix for `known` + `new` items, zero where an item has no row."""
    found = np.zeros((known + new + 1, matrix.shape[1]), dtype=np.float32)
    found[: len(matrix)] = matrix
    if given is not None:
        if given.shape[1] != matrix.shape[1]:
            raise DataError(
                f"a feature of new items has {given.shape[1]:,} columns, {matrix.shape[1]:,} are "
                "needed, as in training"
            )
        found[known + 1 :] = given[1:]
    return found


def _grown_run(run: Run, catalog: Catalog, matrices: Mapping[str, Floats32]) -> Run:
    """Return the run with the items of `catalog`, if there are any, behind its own."""
    if not len(catalog.frame):
        return run
    own = {name: matrix[len(run.items) + 1 :] for name, matrix in matrices.items()}
    content = {} if run.cold is None else run.cold.content.matrices(catalog.frame, own)
    return grown(run, catalog.frame, catalog.attributes, content)


def _written(
    out: Path,
    both: Appended,
    log: CleanLog,
    *,
    before: PreparedData,
    run: Run,
    catalog: Catalog,
    matrices: Mapping[str, Floats32],
    job: str,
    say: Callable[[str], None],
) -> PreparedData:
    """Write the prepared folder, or open what the same job wrote before it was killed."""
    if out.exists():
        found = PreparedData.open(out) if out.is_dir() else None
        if found is None or not job or found.manifest.get("job") != job:
            raise StorageError(f"{out}: exists already; choose another --data-out")
        say(f"{out}: the same command wrote it before")
        return found
    events, old = both.events, before.manifest
    kept = ("options", "order", "source", "published", "catalog", "modalities")
    facts = {name: old[name] for name in kept if name in old} | {
        "rows": log.rows,
        "split": "none",
        "split_facts": {},
        "last_item_tied_users": 0,
        "time_range": [int(events.times.min()), int(events.times.max())],
        "notes": [*log.notes, *catalog.notes],
        "before": before.fingerprint,
        "job": job,
    }
    added = run.catalog[len(before.items) : len(run.catalog) - len(catalog.frame)]
    rows = [before.catalog, added.select(pl.exclude("training_count", "delisted")), catalog.frame]
    frame = pl.concat(rows, how="diagonal_relaxed").select(before.catalog.columns)
    return write_prepared(
        out,
        events,
        split=fit_all(events.offsets),
        catalog=frame.with_columns(pl.col("categories").fill_null([])),
        attributes=run.attributes,
        features=matrices,
        negatives={},
        seed=old["negatives"]["seed"],
        rejected=log.rejected,
        facts=facts,
        say=say,
    )

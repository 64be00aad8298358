"""Write a prepared folder, with the fingerprint that identifies its data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from solidrec.arrays import Array
from solidrec.artifacts import write_manifest, write_table
from solidrec.data.data_manifest import KIND
from solidrec.data.out_folder import carry_over
from solidrec.data.prepared import Events, PreparedData
from solidrec.data.split import Split
from solidrec.disk import need_space, new_folder, write_file

_STORED_ROWS = 1_000_000
"""Negatives of more rows than these are not stored; each reader derives them."""


def write_prepared(
    out: Path,
    events: Events,
    *,
    split: Split,
    catalog: pl.DataFrame,
    attributes: pl.DataFrame | None,
    features: Mapping[str, npt.NDArray[np.float32]],
    negatives: Mapping[str, int],
    seed: int,
    rejected: pl.DataFrame,
    facts: Mapping[str, Any],
    overwrite: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> PreparedData:
    """Write a prepared folder by one rename, and open it.

    `facts` joins the counts and the fingerprint in its manifest. Raises `StorageError` when `out`
    exists (unless `overwrite`) or the disk refuses; `say` is told what stays of a folder that is
    replaced.
    """
    stored = sum(len(users) for users, _ in split.targets.values()) <= _STORED_ROWS
    arrays = _arrays(events, split, features)
    if stored:
        arrays |= {
            f"{name}_negatives": events.negatives(
                users, split=name, count=negatives[name], seed=seed
            )
            for name, (users, _) in split.targets.items()
        }
    tables = {"users": events.users.series.alias("user").to_frame(), "items": catalog}
    # Not in the fingerprint: prices change, and training does not read them.
    tables |= {} if attributes is None else {"attributes": attributes}
    tables |= {"rejected": rejected} if len(rejected) else {}
    fixed = {**negatives, "seed": seed}
    manifest = {
        "users": len(events.users),
        "items": len(events.item_ids),
        "interactions": len(events.items),
        "fingerprint": _fingerprint(
            events, split=split, catalog=catalog, features=features, negatives=fixed
        ),
        **facts,
        "negatives": {**fixed, "stored": stored},
        "features": sorted(features),
        **({} if attributes is None else {"attributes": attributes.columns}),
    }
    need_space(out, sum(array.nbytes for array in arrays.values()))
    with new_folder(out, replace=overwrite) as folder:
        for name, array in arrays.items():
            save = partial(np.save, arr=array, allow_pickle=False)
            write_file(folder / f"{name}.npy", save, size=array.nbytes)
        for name, table in tables.items():
            write_table(folder / f"{name}.parquet", table)
        files = [f"{name}.npy" for name in arrays] + [f"{name}.parquet" for name in tables]
        carry_over(out, folder, fingerprint=str(manifest["fingerprint"]), say=say)
        write_manifest(folder, kind=KIND, files=files, facts=manifest)
    return PreparedData.open(out)


def _arrays(
    events: Events, split: Split, features: Mapping[str, npt.NDArray[np.float32]]
) -> dict[str, Array]:
    """Return the arrays of a folder by the names of their files, but for the negatives."""
    arrays: dict[str, Array] = {
        "offsets": events.offsets,
        "event_items": events.items,
        "event_times": events.times,
        "train_end": split.train_end,
    }
    arrays |= {f"feature_{name}": matrix for name, matrix in features.items()}
    for name, (users, positions) in split.targets.items():
        arrays |= {f"{name}_users": users, f"{name}_positions": positions}
    return arrays


def _fingerprint(
    events: Events,
    *,
    split: Split,
    catalog: pl.DataFrame,
    features: Mapping[str, npt.NDArray[np.float32]],
    negatives: Mapping[str, int],
) -> str:
    """Return the sha256 of events, ids, split, catalogue, features and negatives."""
    digest = hashlib.sha256()
    arrays: dict[str, Array] = {
        "offsets": events.offsets,
        "items": events.items,
        "times": events.times,
        "train": split.train_end,
    }
    arrays |= {name: positions for name, (_, positions) in split.targets.items()}
    arrays |= {f"feature_{name}": features[name] for name in sorted(features)}
    for name, array in arrays.items():
        digest.update(f"{name}{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    for start, part in enumerate(events.users.series.to_frame().iter_slices()):
        digest.update(("\0" * (start > 0) + "\0".join(part["id"])).encode())
    # without pictures the column is left out, so that older fingerprints stay valid
    named = catalog if catalog["image"].count() else catalog.drop("image")
    for part in named.iter_slices():
        digest.update(part.write_ndjson().encode())
    digest.update(json.dumps(negatives, sort_keys=True).encode())
    return digest.hexdigest()

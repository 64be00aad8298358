"""The prepared folder: arrays, Parquet tables and a manifest, mapped into memory by its readers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt
import polars as pl

from solidrec.arguments import as_path
from solidrec.arrays import AnyInts as Integers
from solidrec.arrays import Array
from solidrec.artifacts import read_parquet
from solidrec.data.data_manifest import read_data_manifest
from solidrec.data.encoded import read_encoded
from solidrec.data.negatives import Items, TrainingNegatives, Unseen, fixed_negatives
from solidrec.data.npy import map_npy
from solidrec.data.windows import blocks, ranges, windows
from solidrec.errors import DamagedError, DataError, UsageError
from solidrec.id_map import IdMap


@final
@dataclass(frozen=True)
class EvalRows:
    """The targets of one split, one row each, with their fixed negatives.

    `users` (R,) int32 are in 1..U, `positions` (R,) int64 are absolute event indices and `targets`
    (R,) int32 are items. ``negatives(start, stop)`` returns those of a range of rows.
    """

    users: npt.NDArray[np.int32]
    positions: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int32]
    negatives: Callable[[int, int], Items]

    def __len__(self) -> int:
        return len(self.users)

    def candidates(self, start: int, stop: int) -> Items:
        """Return (r, 1 + N) items for rows `start:stop`: the target, then its fixed negatives."""
        start, stop, _ = slice(start, stop).indices(len(self))
        return np.concatenate([self.targets[start:stop, None], self.negatives(start, stop)], axis=1)

    def take(self, index: Integers) -> EvalRows:
        """Return the rows with the given indices, which must ascend."""

        def negatives(start: int, stop: int) -> Items:
            return np.concatenate(
                [self.negatives(row, row + 1) for row in index[start:stop].tolist()]
            )

        return EvalRows(self.users[index], self.positions[index], self.targets[index], negatives)


@final
@dataclass(frozen=True)
class Events:
    """A cleaned log: ids in index order, and flat event arrays with each user's events in order.

    `offsets` (U+2,), `items` (N,) int32, `times` (N,) int64 order keys.
    """

    users: IdMap
    item_ids: IdMap
    offsets: npt.NDArray[np.int64]
    items: npt.NDArray[np.int32]
    times: npt.NDArray[np.int64]

    @cached_property
    def unseen(self) -> Unseen:
        """The items that each user never touched, in any split."""
        return Unseen(self.items, self.offsets[:-1], self.offsets[1:], n_items=len(self.item_ids))

    def negatives(self, users: Integers, *, split: str, count: int, seed: int) -> Items:
        """Return the (n, count) fixed negatives of a split's users."""
        if count == 0:
            return np.empty((len(users), 0), dtype=np.int32)
        names = self.users.series.gather(np.asarray(users, dtype=np.uint32) - 1).to_list()
        return fixed_negatives(self.unseen, users, names, count=count, seed=seed, salt=split)


@final
@dataclass(frozen=True)
class PreparedData:
    """A prepared folder. All arrays are read-only maps of its files.

    - `offsets` (U+2,): events of user u are ``offsets[u]:offsets[u + 1]``, user 0 has none
    - `event_items` (N,) in 1..V, and `event_times` (N,), the order keys
    - `train_end` (U+1,): absolute end of each user's training events
    - `catalog`: V rows in item order
    - `features`: name -> (V+1, F) float32, zero in row 0 and for missing items
    - `attributes`: V rows of the columns kept for rules, None if there are none
    - `encoded`: name -> sha256 of features made by `solidrec encode`; not in the fingerprint
    """

    path: Path
    manifest: dict[str, Any]
    users: IdMap
    items: IdMap
    offsets: npt.NDArray[np.int64]
    event_items: npt.NDArray[np.int32]
    event_times: npt.NDArray[np.int64]
    train_end: npt.NDArray[np.int64]
    catalog: pl.DataFrame
    features: dict[str, npt.NDArray[np.float32]]
    encoded: dict[str, str] = field(default_factory=dict)
    attributes: pl.DataFrame | None = None

    @classmethod
    def open(cls, path: Path | str) -> PreparedData:
        """Open a prepared folder after checking every file against its manifest.

        Raises `StorageError` if it is no prepared folder, `DamagedError` if its bytes changed, and
        `IncompatibleError` if a newer solidrec wrote it.
        """
        path = as_path(path, "path")
        manifest = read_data_manifest(path)
        catalog = read_parquet(path / "items.parquet")
        given = {name: _load(path / f"feature_{name}.npy") for name in manifest["features"]}
        encoded = read_encoded(
            path, fingerprint=manifest["fingerprint"], items=len(catalog), taken=tuple(given)
        )
        return cls(
            path=path,
            manifest=manifest,
            users=IdMap(read_parquet(path / "users.parquet")["user"]),
            items=IdMap(catalog["item"]),
            offsets=_load(path / "offsets.npy"),
            event_items=_load(path / "event_items.npy"),
            event_times=_load(path / "event_times.npy"),
            train_end=_load(path / "train_end.npy"),
            catalog=catalog,
            features=given | {name: found.vectors for name, found in encoded.items()},
            encoded={name: found.digest for name, found in encoded.items()},
            attributes=_attributes(path, manifest),
        )

    @property
    def fingerprint(self) -> str:
        """The sha256 that identifies this data, whatever its folder is called."""
        return str(self.manifest["fingerprint"])

    @cached_property
    def train_counts(self) -> npt.NDArray[np.int64]:
        """How often each item occurs in training, (V+1,)."""
        counts = np.zeros(len(self.items) + 1, dtype=np.int64)
        for block in blocks(self.offsets[:-1], self.train_end):
            _, positions = ranges(self.offsets[:-1][block], self.train_end[block])
            counts += np.bincount(self.event_items[positions], minlength=len(counts))
        return counts

    def training_targets(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return users and positions (T,) of all training events but the first of each user."""
        users, positions = ranges(self.offsets[:-1] + 1, self.train_end)
        return users.astype(np.int32), positions

    def histories(self, users: Integers, positions: Integers, length: int) -> npt.NDArray[np.int32]:
        """Return the items (n, length) before each position, oldest first, right-padded with 0."""
        return windows(self.event_items, self.offsets[users], positions, length)

    def rows(self, split: Literal["valid", "test"]) -> EvalRows:
        """Return the targets of a split; raise `UsageError` if the data was prepared without it."""
        if split not in self.manifest["negatives"]:
            made = f"prepared with split {self.manifest['split']!r}"
            raise UsageError(
                f"{self.path}: has no {split!r} rows ({made}); prepare it again with --split "
                "leave-one-out or --split time"
            )
        users = _load(self.path / f"{split}_users.npy")
        positions = _load(self.path / f"{split}_positions.npy")
        return EvalRows(
            users, positions, self.event_items[positions], self._negatives(split, users)
        )

    def training_negatives(self) -> TrainingNegatives:
        """Return the sampler of training negatives, without the user's training items."""
        return TrainingNegatives(
            Unseen(self.event_items, self.offsets[:-1], self.train_end, n_items=len(self.items))
        )

    def seen(
        self, users: Integers, positions: Integers
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return flat (row, item) pairs of all items before each target, for masking them."""
        rows, events = ranges(self.offsets[users], positions)
        return rows, self.event_items[events]

    @cached_property
    def _events(self) -> Events:
        return Events(self.users, self.items, self.offsets, self.event_items, self.event_times)

    def _negatives(self, split: str, users: Integers) -> Callable[[int, int], Items]:
        facts = self.manifest["negatives"]
        if facts["stored"]:
            stored = _load(self.path / f"{split}_negatives.npy")
            return lambda start, stop: stored[start:stop]
        return lambda start, stop: self._events.negatives(
            users[start:stop], split=split, count=facts[split], seed=facts["seed"]
        )


def _attributes(path: Path, manifest: dict[str, Any]) -> pl.DataFrame | None:
    """Read the columns that are kept for rules, None if there are none."""
    kept = manifest.get("attributes")
    return read_parquet(path / "attributes.parquet") if kept else None


def _load(path: Path) -> Array:
    """Map an array of the folder into memory, or raise `DamagedError`."""
    try:
        return map_npy(path)
    except DataError:
        raise DamagedError(f"{path}: is not a plain array; prepare the data again") from None

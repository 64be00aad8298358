"""What `check` works on: the person's own model on a slice of the data that trains in a moment."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from solidrec.arrays import Ints
from solidrec.artifacts import MANIFEST
from solidrec.data.prepared import EvalRows, Events, PreparedData, write_prepared
from solidrec.data.split import Split
from solidrec.designs import DESIGNS
from solidrec.errors import DataError
from solidrec.ids import IdMap
from solidrec.nn.build import build
from solidrec.nn.recommender import Recommender
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.kmeans import cluster_count
from solidrec.semantics.modality import ID
from solidrec.semantics.plan import make, plan
from solidrec.spec import RunSpec, SemanticsSpec
from solidrec.training.optimizer import SPARSE_FROM
from solidrec.training.semantics import semantics_folder

_SPLITS: tuple[Literal["valid", "test"], ...] = ("valid", "test")
_EPOCHS = 2
_BATCH = 256  # targets of a step, at most
_STEPS = 3  # of an epoch, about
_LEAST = 256  # targets of the slice
_ITEMS = (
    SPARSE_FROM + 1
)  # of the slice, and those of its users: a larger catalogue too is trained by sparse Adam
_QUICK_ITEMS = 20_000  # items whose semantic ids are made in seconds


def bounded(spec: RunSpec) -> RunSpec:
    """Return the specification with short stages and small steps, and without the compiler."""
    batch = min(
        spec.train.batch, max(_BATCH, spec.model.length)
    )  # no smaller than a history: that would change the passes
    train = spec.train.model_copy(update={"epochs": _EPOCHS, "batch": batch, "compile": False})
    return spec.model_copy(update={"train": train})


def slice_of(data: PreparedData, spec: RunSpec, folder: Path, items: Ints) -> PreparedData:
    """Write the events of a few users to a prepared folder, as the whole data has them, with some `items` as the catalogue.

    The users stand at equal distances, and of each only the latest events are kept, so that the slice has about `_STEPS`
    steps of training. Content goes along where item embeddings start from it.
    """
    users, begin, end, train_end = _few_users(data, spec)
    size = end - begin
    offsets = np.concatenate([[0, 0], np.cumsum(size)])
    at = np.repeat(begin - offsets[1:-1], size) + np.arange(size.sum())
    targets: dict[str, tuple[npt.NDArray[np.int32], Ints]] = {
        split: _kept_rows(data.rows(split), users, begin, offsets) for split in held_out(data)
    }
    content = spec.model.start == "content"
    catalog = data.catalog[items - 1].select(pl.all() if content else "item")
    catalog = (
        catalog
        if "image" in catalog.columns
        else catalog.with_columns(image=pl.lit(None, pl.String))
    )
    negatives = {
        split: min(data.manifest["negatives"][split], len(items) - int(size.max()))
        for split in targets
    }
    return write_prepared(
        folder,
        Events(
            IdMap(data.users.series[users - 1]),
            IdMap(catalog["item"]),
            offsets,
            np.searchsorted(items, data.event_items[at]).astype(np.int32) + np.int32(1),
            np.asarray(data.event_times[at]),
        ),
        split=Split(np.concatenate([[0], train_end - begin + offsets[1:-1]]), targets, {}),
        catalog=catalog,
        features={name: matrix[np.append(0, items)] for name, matrix in data.features.items()}
        if content
        else {},
        negatives={name: max(count, 0) for name, count in negatives.items()},
        seed=data.manifest["negatives"].get("seed", 0),
        rejected=pl.DataFrame(),
        facts={key: data.manifest[key] for key in ("split", "modalities")},
    )


def held_out(data: PreparedData) -> list[Literal["valid", "test"]]:
    """Return the splits that the data was prepared with."""
    return [split for split in _SPLITS if split in data.manifest["negatives"]]


def _few_users(data: PreparedData, spec: RunSpec) -> tuple[Ints, Ints, Ints, Ints]:
    """Return some users, and where the events of each that are kept begin and end and where its training ends.

    Raises `DataError` when no user has two training events.
    """
    begin, end, train_end = (
        data.offsets[:-1].astype(np.int64),
        data.offsets[1:].astype(np.int64),
        data.train_end.astype(np.int64),
    )
    begin = np.maximum(begin, train_end - 2 * spec.model.length - 8)
    end = np.minimum(end, train_end + 2)
    trained = np.maximum(train_end - begin - 1, 0)
    active = np.flatnonzero(trained)
    if not len(active):
        raise DataError(
            "no user has two training events, so there is nothing to learn from; bring longer histories"
        )
    wanted = max(_LEAST, _STEPS * bounded(spec).train.batch)
    count = min(len(active), -(-wanted * len(active) // int(trained.sum())))
    users = active[np.linspace(0, len(active) - 1, count).astype(np.int64)]
    return users, begin[users], end[users], train_end[users]


def _kept_rows(
    rows: EvalRows, users: Ints, begin: Ints, offsets: Ints
) -> tuple[npt.NDArray[np.int32], Ints]:
    """Return the users and positions, in the slice, of those targets of a split that are kept."""
    place = np.minimum(np.searchsorted(users, rows.users), len(users) - 1)
    moved = rows.positions - begin[place] + offsets[1:-1][place]
    kept = (users[place] == rows.users) & (moved < offsets[2:][place])
    return (place[kept] + 1).astype(np.int32), moved[kept]


def kept_items(data: PreparedData, spec: RunSpec, semantics: SemanticIds | None) -> Ints:
    """Return the items of the slice: up to `_ITEMS` all of a catalogue, else those of its users and some evenly spaced."""
    if len(data.items) <= _ITEMS:
        return np.arange(1, len(data.items) + 1)
    _, begin, end, _ = _few_users(data, spec)
    touched = [data.event_items[start:stop] for start, stop in zip(begin, end, strict=True)]
    largest = (
        [] if semantics is None else [[int(semantics.codes[: len(data.items) + 1].max(1).argmax())]]
    )  # so S stays S
    spaced = np.linspace(1, len(data.items), _ITEMS).astype(np.int64)
    return np.unique(np.concatenate([*touched, *largest, spaced]).astype(np.int64))


def semantics_for(data: PreparedData, spec: RunSpec) -> SemanticIds | None:
    """Return the semantic ids that training has left beside the data or, written nowhere, the same or such as take their place.

    Where they need a training of their own, the item embeddings they are made of are random here; where the catalogue is
    large, as many ids are dealt at random. No check asks which item has which id.
    """
    if not DESIGNS[spec.model.name].needs_semantics:
        return None
    chosen = plan(data, spec.semantics)  # a wish that the data cannot serve is refused at once
    folder = semantics_folder(data, spec)
    if (folder / MANIFEST).is_file():
        return SemanticIds.load(folder).check(len(data.items))
    if len(data.items) <= _QUICK_ITEMS:
        vectors = np.random.default_rng(0).standard_normal((len(data.items), spec.model.dim))
        made = make(data, spec.semantics, lambda: vectors.astype(np.float32))
        why = (
            f"{made.reason}; the embeddings of ids are random here"
            if ID in chosen.modalities
            else made.reason
        )
        return dataclasses.replace(made, reason=why)
    return _stand_in(len(data.items), spec.semantics, chosen.method)


def _stand_in(items: int, spec: SemanticsSpec, method: str) -> SemanticIds:
    """Return as many ids a level as k-means would find, dealt to the items at random."""
    k = spec.clusters or max(1, cluster_count(items) // spec.levels)
    random = np.random.default_rng(spec.seed)
    levels = [random.permutation(items) % k + 1 + level * k for level in range(spec.levels)]
    codes = np.concatenate([np.zeros((1, spec.levels)), np.stack(levels, 1)]).astype(np.int64)
    why = f"dealt at random: {method} takes longer than a check may"
    return SemanticIds(
        codes, np.zeros((k * spec.levels, 1), dtype=np.float32), (), "random", (), spec.seed, why
    )


def semantics_of(semantics: SemanticIds | None, items: Ints) -> SemanticIds | None:
    """Return the semantic ids of some items."""
    return (
        None
        if semantics is None
        else dataclasses.replace(semantics, codes=semantics.codes[np.append(0, items)])
    )


def model_of(
    trained: Recommender, spec: RunSpec, semantics: SemanticIds | None, items: Ints
) -> Recommender:
    """Return a finished run's model over some of its items."""
    rows = torch.from_numpy(np.append(0, items))
    of_item = None if semantics is None else torch.from_numpy(semantics.table)
    model = build(spec.model, items=len(items), semantic_of_item=of_item)
    by_item = {
        "items.weight",
        *(name for name in trained.state_dict() if name.endswith("semantic_of_item")),
    }
    state: Mapping[str, Any] = trained.state_dict()
    model.load_state_dict(
        {name: tensor[rows] if name in by_item else tensor for name, tensor in state.items()}
    )
    return model.eval()

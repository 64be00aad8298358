"""A slice of the data on which `check` trains the user's own model in seconds."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from solidrec.arrays import Ints
from solidrec.artifacts import MANIFEST
from solidrec.data.prepared import EvalRows, Events, PreparedData
from solidrec.data.split import Split
from solidrec.data.write_prepared import write_prepared
from solidrec.designs import DESIGNS
from solidrec.errors import DataError
from solidrec.id_map import IdMap
from solidrec.nn.build import build
from solidrec.nn.recommender import Recommender
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.kmeans import cluster_count
from solidrec.semantics.make_ids import make, plan
from solidrec.semantics.modality import ID
from solidrec.spec import RunSpec, SemanticsSpec
from solidrec.training.optimizer import SPARSE_FROM
from solidrec.training.semantics import semantics_folder

_SPLITS: tuple[Literal["valid", "test"], ...] = ("valid", "test")
_EPOCHS = 2
_BATCH = 256  # targets per step, at most
_STEPS = 3  # steps per epoch, about
_LEAST = 256  # targets of the slice, at least
# Items beside those of the slice's users: enough that a large catalogue still has sparse Adam.
_ITEMS = SPARSE_FROM + 1
_QUICK_ITEMS = 20_000  # the semantic ids of so many items are made in seconds


def bounded(spec: RunSpec) -> RunSpec:
    """Return the specification with short stages and small steps, and without the compiler."""
    # A batch smaller than a history would change the passes.
    batch = min(spec.train.batch_size, max(_BATCH, spec.model.history_length))
    train = spec.train.model_copy(update={"epochs": _EPOCHS, "batch_size": batch, "compile": False})
    return spec.model_copy(update={"train": train})


def slice_of(data: PreparedData, spec: RunSpec, folder: Path, items: Ints) -> PreparedData:
    """Write the events of a few users to a prepared folder, with some `items` as the catalogue.

    The users are evenly spaced. Only the latest events of each are kept, split as in the whole
    data, so that the slice has about `_STEPS` steps of training. Content is kept where item
    embeddings start from it.
    """
    users, begin, end, train_end = _few_users(data, spec)
    size = end - begin
    # Where the events of each user of the slice begin; user 0 is padding.
    offsets = np.concatenate([[0, 0], np.cumsum(size)])
    # The indices of these events in the whole data.
    at = np.repeat(begin - offsets[1:-1], size) + np.arange(size.sum())
    targets: dict[str, tuple[npt.NDArray[np.int32], Ints]] = {
        split: _kept_rows(data.rows(split), users, begin, offsets) for split in held_out(data)
    }
    content, rows = spec.model.start == "content", np.append(0, items)
    catalog = data.catalog[items - 1].select(pl.all() if content else "item")
    if "image" not in catalog.columns:
        catalog = catalog.with_columns(image=pl.lit(None, pl.String))
    # A user cannot have more negatives than there are items that the user has not had.
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
        attributes=None,
        features={name: data.features[name][rows] for name in data.features if content},
        negatives={name: max(count, 0) for name, count in negatives.items()},
        seed=data.manifest["negatives"].get("seed", 0),
        rejected=pl.DataFrame(),
        facts={key: data.manifest[key] for key in ("split", "modalities")},
    )


def held_out(data: PreparedData) -> list[Literal["valid", "test"]]:
    """Return the splits that the data was prepared with."""
    return [split for split in _SPLITS if split in data.manifest["negatives"]]


def _few_users(data: PreparedData, spec: RunSpec) -> tuple[Ints, Ints, Ints, Ints]:
    """Return some users, begin and end of their kept events, and the end of their training events.

    Raises `DataError` when no user has two training events.
    """
    offsets, train_end = data.offsets.astype(np.int64), data.train_end.astype(np.int64)
    # Keep about two histories of training events and two held-out events of each user.
    begin = np.maximum(offsets[:-1], train_end - 2 * spec.model.history_length - 8)
    end = np.minimum(offsets[1:], train_end + 2)
    # Each kept training event but the first is a target of training.
    trained = np.maximum(train_end - begin - 1, 0)
    active = np.flatnonzero(trained)
    if not len(active):
        raise DataError(
            "no user has two training events, so there is nothing to learn from; bring longer "
            "histories"
        )
    wanted = max(_LEAST, _STEPS * bounded(spec).train.batch_size)
    # As many users as have the wanted number of targets on average, rounded up.
    count = min(len(active), -(-wanted * len(active) // int(trained.sum())))
    users = active[np.linspace(0, len(active) - 1, count).astype(np.int64)]
    return users, begin[users], end[users], train_end[users]


def _kept_rows(
    rows: EvalRows, users: Ints, begin: Ints, offsets: Ints
) -> tuple[npt.NDArray[np.int32], Ints]:
    """Return users and positions, within the slice, of the targets of a split that are kept."""
    # The index of each row's user among the kept ones, if it is kept.
    place = np.minimum(np.searchsorted(users, rows.users), len(users) - 1)
    # The target's position among the events of the slice.
    moved = rows.positions - begin[place] + offsets[1:-1][place]
    kept = (users[place] == rows.users) & (moved < offsets[2:][place])
    return (place[kept] + 1).astype(np.int32), moved[kept]


def kept_items(data: PreparedData, spec: RunSpec, semantics: SemanticIds | None) -> Ints:
    """Return all items if they are few, else those of the slice's users and evenly spaced ones."""
    if len(data.items) <= _ITEMS:
        return np.arange(1, len(data.items) + 1)
    _, begin, end, _ = _few_users(data, spec)
    touched = [data.event_items[start:stop] for start, stop in zip(begin, end, strict=True)]
    # An item with the largest code stays, and with it the number of semantic ids.
    largest = (
        [] if semantics is None else [[int(semantics.codes[: len(data.items) + 1].max(1).argmax())]]
    )
    spaced = np.linspace(1, len(data.items), _ITEMS).astype(np.int64)
    return np.unique(np.concatenate([*touched, *largest, spaced]).astype(np.int64))


def semantics_for(data: PreparedData, spec: RunSpec) -> SemanticIds | None:
    """Return the semantic ids that training has saved beside the data, or make some in memory.

    Item embeddings that would need a training of their own are random here, and for a large
    catalogue as many ids are dealt at random: no check asks which item has which id. Returns None
    for a model that needs no semantic ids.
    """
    if not DESIGNS[spec.model.name].needs_semantics:
        return None
    chosen = plan(data, spec.semantics)  # refuses settings that the data cannot serve
    folder = semantics_folder(data, spec)
    if (folder / MANIFEST).is_file():
        return SemanticIds.load(folder).check(len(data.items))
    if len(data.items) <= _QUICK_ITEMS:
        vectors = np.random.default_rng(0).standard_normal((len(data.items), spec.model.dim))
        made = make(data, spec.semantics, lambda: vectors.astype(np.float32))
        if ID not in chosen.modalities:
            return made
        why = f"{made.reason}; the embeddings of ids are random here"
        return dataclasses.replace(made, reason=why)
    return _stand_in(len(data.items), spec.semantics, chosen.method)


def _stand_in(items: int, spec: SemanticsSpec, method: str) -> SemanticIds:
    """Return as many ids per level as k-means would find, dealt to the items at random."""
    k = spec.clusters or max(1, cluster_count(items) // spec.levels)
    random = np.random.default_rng(spec.seed)
    # Level l has the codes l k + 1 to (l + 1) k, each for about as many items.
    levels = [random.permutation(items) % k + 1 + level * k for level in range(spec.levels)]
    codes = np.concatenate([np.zeros((1, spec.levels)), np.stack(levels, 1)]).astype(np.int64)
    why = f"dealt at random: {method} takes longer than a check may"
    vectors = np.zeros((k * spec.levels, 1), dtype=np.float32)
    return SemanticIds(codes, vectors, (), "random", (), spec.seed, why)


def semantics_of(semantics: SemanticIds | None, items: Ints) -> SemanticIds | None:
    """Return the semantic ids of some items."""
    if semantics is None:
        return None
    return dataclasses.replace(semantics, codes=semantics.codes[np.append(0, items)])


def model_of(
    trained: Recommender, spec: RunSpec, semantics: SemanticIds | None, items: Ints
) -> Recommender:
    """Return the model of a finished run over some of its items."""
    rows = torch.from_numpy(np.append(0, items))
    of_item = None if semantics is None else torch.from_numpy(semantics.table)
    model = build(spec.model, items=len(items), semantic_of_item=of_item)
    # These tensors have one row per item, the first for padding; all others stay whole.
    state = {
        name: tensor[rows]
        if name == "items.weight" or name.endswith("semantic_of_item")
        else tensor
        for name, tensor in trained.state_dict().items()
    }
    model.load_state_dict(state)
    return model.eval()

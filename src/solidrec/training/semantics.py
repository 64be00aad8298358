"""Semantic ids, and the item embeddings that some are made of, cached beside the data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from solidrec.artifacts import MANIFEST, read_manifest, write_manifest
from solidrec.backbone_spec import TransformerSpec
from solidrec.data.prepared import PreparedData
from solidrec.disk import new_folder
from solidrec.errors import StorageError
from solidrec.semantics.degenerate import complaint
from solidrec.semantics.ids import SemanticIds, load_array
from solidrec.semantics.make_ids import make, plan
from solidrec.semantics.modality import ID
from solidrec.spec import ModelSpec, RunSpec

_VECTORS = "vectors.npy"
_KIND = "item-vectors"
Train = Callable[[RunSpec], np.ndarray]
"""A function that trains the static model of a specification and returns its (V, D) embeddings."""


def cached_semantics(
    data: PreparedData,
    spec: RunSpec,
    train: Train,
    *,
    device: str = "cpu",
    say: Callable[[str], None] = lambda line: None,
) -> SemanticIds:
    """Make the semantic ids of a specification, or load those that an earlier run made."""
    folder = semantics_folder(data, spec)
    if (folder / MANIFEST).is_file():
        semantics = SemanticIds.load(folder).check(len(data.items))
    else:
        vectors = partial(item_vectors, data, spec, train, say=say)
        semantics = make(data, spec.semantics, vectors, device=device)
        keep(folder, semantics.save, say)
    facts = semantics.facts()
    levels = f" in {facts['levels']} levels of {facts['codes']} in all"
    made = f"{facts['count']} ids{levels if facts['levels'] > 1 else ''} by {semantics.method}"
    over = f" over {', '.join(semantics.modalities)}" if semantics.modalities else ""
    say(f"semantics: {made}{over} ({semantics.reason})")
    if doubt := complaint(semantics, spec.semantics.clusters):
        say(f"warning: {doubt}")
    return semantics


def semantics_folder(data: PreparedData, spec: RunSpec) -> Path:
    """Return where semantic ids are cached beside the data, named by all that they are made of."""
    chosen = RunSpec(data=spec.data, semantics=spec.semantics)
    if ID in plan(data, spec.semantics).modalities:
        own = {"model": _id_model(spec.model), "train": spec.train.of_one_model()}
        chosen = chosen.model_copy(update=own)
    return data.path / "semantics" / chosen.digest()


def item_vectors(
    data: PreparedData,
    spec: RunSpec,
    train: Train,
    *,
    say: Callable[[str], None] = lambda line: None,
) -> np.ndarray:
    """Return the (V, D) item embeddings of the ``id`` modality, trained once and cached."""
    static = RunSpec(
        data=spec.data,
        model=_id_model(spec.model),
        train=spec.train.of_one_model(),
        seed=spec.semantics.seed,
    )
    folder = data.path / "semantics" / f"id-{static.digest()}"
    if (folder / MANIFEST).is_file():
        read_manifest(folder, kind=_KIND, files=[_VECTORS])
        return load_array(folder / _VECTORS)
    say("semantics: training a static SASRec first, for its item embeddings")
    vectors = train(static)
    keep(folder, lambda path: _save_vectors(path, vectors), say)
    return vectors


def _save_vectors(folder: Path, vectors: np.ndarray) -> None:
    """Write item embeddings as an artifact folder."""
    with new_folder(folder, replace=True) as temporary:
        np.save(temporary / _VECTORS, vectors)
        write_manifest(temporary, kind=_KIND, files=[_VECTORS], facts={})


def keep(
    folder: Path, save: Callable[[Path], None], say: Callable[[str], None], what: str = "semantics"
) -> None:
    """Save beside the data if it is writable; another training may have saved the same."""
    try:
        save(folder)
    except StorageError as error:
        if not (folder / MANIFEST).is_file():
            say(f"{what}: not kept beside the data, so another run makes them again ({error})")


def _id_model(model: ModelSpec) -> ModelSpec:
    """Return the static model whose item embeddings serve as the ``id`` modality."""
    return ModelSpec(
        name="static",
        backbone=TransformerSpec(name="sasrec"),
        dim=model.dim,
        history_length=model.history_length,
        dropout=model.dropout,
    )

"""The run folder: all that is needed to use a trained model, and nothing that could run code.

``spec.json`` · ``weights.safetensors`` · ``items.parquet`` (the vocabulary in index order, with
titles and training counts) · ``attributes.parquet`` (columns that rules read) · ``semantics/`` ·
``content.json`` and ``content.safetensors`` (the map from content for items that are added later) ·
``history.jsonl`` (every epoch) · ``metrics.json`` · ``golden.json`` (a few answers) ·
``manifest.json``, which is written last.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import polars as pl
import torch

from solidrec.arguments import as_path
from solidrec.artifacts import (
    MANIFEST,
    Facts,
    read_manifest,
    read_parquet,
    require,
    write_manifest,
    write_table,
    write_tensors,
)
from solidrec.designs import DESIGNS
from solidrec.disk import need_space, new_folder
from solidrec.epochs import HISTORY, read_history
from solidrec.errors import DamagedError, IncompatibleError, StorageError, UsageError
from solidrec.id_map import IdMap
from solidrec.inference.golden import Golden
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.json_files import read_json, write_json
from solidrec.nn.build import build, build_mixture
from solidrec.nn.mixture import Mixture
from solidrec.nn.recommender import Recommender
from solidrec.overwrite import LEFT_BEHIND
from solidrec.semantics.cold import ColdStart
from solidrec.semantics.ids import SemanticIds
from solidrec.spec import RunSpec
from solidrec.weight_files import load_weights, read_counted, read_tensors

_KIND = "run"
SPEC, WEIGHTS, ITEMS = "spec.json", "weights.safetensors", "items.parquet"
METRICS, SEMANTICS = "metrics.json", "semantics"
ATTRIBUTES, GOLDEN = "attributes.parquet", "golden.json"
COLD, COLD_ARRAYS = "content.json", "content.safetensors"
FILES = (SPEC, WEIGHTS, ITEMS, HISTORY, METRICS)
_SEMANTIC_FILES = tuple(
    f"{SEMANTICS}/{name}" for name in ("of_item.npy", "centroids.npy", "semantics.json")
)
_COLD_FILES = (COLD, COLD_ARRAYS)
DELISTED = "delisted"
"""Column of the vocabulary that marks items which are never recommended, if there are any."""
PARTS = (SEMANTICS, *_COLD_FILES, ATTRIBUTES, GOLDEN)
"""What a run may have besides its `FILES`: by its model, its items, the version that wrote it."""


@final
@dataclass(frozen=True)
class Run:
    """A loaded run: the recommender in eval mode and all it needs to read and return raw ids."""

    path: Path
    manifest: dict[str, Any]
    spec: RunSpec
    model: Recommender | Mixture
    catalog: pl.DataFrame
    semantics: SemanticIds | None
    cold: ColdStart | None = None
    attributes: pl.DataFrame | None = None

    @cached_property
    def items(self) -> IdMap:
        """The item vocabulary."""
        return IdMap(self.catalog["item"].to_list())

    @property
    def golden(self) -> Golden | None:
        """Answers that the model gave when it was written; None for a run of an older version."""
        if GOLDEN not in self.manifest["files"]:
            return None
        return Golden.model_validate(read_json(self.path / GOLDEN))

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics that were measured when training ended."""
        found: dict[str, Any] = read_json(self.path / METRICS)
        return found

    @property
    def history(self) -> list[dict[str, Any]]:
        """The log, one row per epoch."""
        return read_history(self.path)


def save_run(
    path: Path,
    spec: RunSpec,
    model: Recommender | Mixture,
    *,
    catalog: pl.DataFrame,
    semantics: SemanticIds | None,
    metrics: dict[str, Any],
    facts: dict[str, Any],
    cold: ColdStart | None = None,
    attributes: pl.DataFrame | None = None,
) -> None:
    """Write the final files of a run; the manifest comes last and makes the run complete."""
    write_tensors(path / WEIGHTS, model.state_dict())
    write_table(path / ITEMS, catalog)
    write_json(path / METRICS, metrics)
    golden = Golden.of(scorer_of(model), items=len(catalog), length=spec.model.history_length)
    write_json(path / GOLDEN, golden.model_dump(mode="json"))
    files = [*FILES, GOLDEN]
    if semantics is not None:
        semantics.save(path / SEMANTICS)
        files += _SEMANTIC_FILES
    if cold is not None:
        arrays = {name: torch.from_numpy(array) for name, array in cold.arrays().items()}
        write_json(path / COLD, cold.plain())
        write_tensors(path / COLD_ARRAYS, arrays)
        files += _COLD_FILES
    if attributes is not None:
        write_table(path / ATTRIBUTES, attributes)
        files.append(ATTRIBUTES)
    write_manifest(path, kind=_KIND, files=files, facts=facts)


def copy_run(
    run: Run, out: Path, *, facts: dict[str, Any], metrics: dict[str, Any] | None = None
) -> None:
    """Write a loaded run to the folder `out` by one rename, with `facts` added to its manifest.

    Its `metrics` are those of the folder that it was loaded from, unless others are given. `out` is
    a new folder, or the run's own, whose other files are then kept. Raises `StorageError` for any
    other folder that exists.
    """
    itself = out.exists() and out.resolve() == run.path.resolve()
    if out.exists() and not itself:
        raise StorageError(f"{out}: exists already; choose another --out")
    new = ("kind", "format", "versions", "files")
    own = {key: value for key, value in run.manifest.items() if key not in new}
    files = [path for path in run.path.rglob("*") if path.is_file()]
    need_space(out, sum(path.stat().st_size for path in files))
    with new_folder(out, replace=itself) as temporary:
        if itself:
            left = shutil.ignore_patterns(*(f"{start}*" for start in LEFT_BEHIND))
            shutil.copytree(run.path, temporary, dirs_exist_ok=True, ignore=left)
        shutil.copyfile(run.path / HISTORY, temporary / HISTORY)
        write_json(temporary / SPEC, run.spec.model_dump(mode="json"))
        save_run(
            temporary,
            run.spec,
            run.model,
            catalog=run.catalog,
            semantics=run.semantics,
            metrics=run.metrics if metrics is None else metrics,
            facts=own | facts,
            cold=run.cold,
            attributes=run.attributes,
        )


def load_run(path: Path | str, *, device: str = "cpu") -> Run:
    """Load a run folder after checking every byte of it against its manifest.

    Raises `StorageError` if it is not a finished run, `DamagedError` for changed or truncated files
    and `IncompatibleError` for weights that do not fit the specification.
    """
    path = as_path(path, "path")
    if not path.is_dir():
        raise StorageError(
            f"{path}: no such folder; give the folder that `solidrec train --out` wrote"
        )
    if (path / SPEC).is_file() and not (path / MANIFEST).is_file():
        raise StorageError(
            f"{path}: training has not finished; "
            "run the same `solidrec train` command again to resume it"
        )
    manifest = _read_manifest(path)
    try:
        spec = RunSpec.parse(read_json(path / SPEC))
    except (UsageError, TypeError, ValueError) as error:
        wrote = manifest["versions"].get("solidrec")
        raise IncompatibleError(
            f"{path / SPEC}: written by solidrec {wrote}, does not fit this one ({error})"
        ) from None
    catalog = read_parquet(path / ITEMS)
    semantics = (
        SemanticIds.load(path / SEMANTICS)
        if f"{SEMANTICS}/semantics.json" in manifest["files"]
        else None
    )
    of_item = None if semantics is None else torch.from_numpy(semantics.table)
    model: Recommender | Mixture
    if DESIGNS[spec.model.name].is_mixture:
        model = build_mixture(
            spec.model, read_counted(path / WEIGHTS, len(catalog)), semantic_of_item=of_item
        )
    else:
        model = build(spec.model, items=len(catalog), semantic_of_item=of_item)
    load_weights(model, path / WEIGHTS)
    cold = None
    if COLD in manifest["files"]:
        tensors = read_tensors(path / COLD_ARRAYS)
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        try:
            cold = ColdStart.of(read_json(path / COLD), arrays)
        except (KeyError, TypeError, AttributeError) as error:
            raise DamagedError(
                f"{path / COLD}: is not as it was written ({error!r}); train again or restore it"
            ) from None
    kept = ATTRIBUTES in manifest["files"]
    attributes = read_parquet(path / ATTRIBUTES) if kept else None
    return Run(path, manifest, spec, model.to(device).eval(), catalog, semantics, cold, attributes)


@final
class _DataOfRun(Facts):
    """Where the data of a run were."""

    path: str


@final
class _RunFacts(Facts):
    """The facts of a run that its readers use."""

    digest: str
    parameters: int
    data: _DataOfRun
    added_items: int = 0


def _read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest of a run, which lists every part that the folder has."""
    manifest = read_manifest(path, kind=_KIND, files=FILES, facts=_RunFacts)
    for parts in (_SEMANTIC_FILES, _COLD_FILES, (ATTRIBUTES,), (GOLDEN,)):
        if any((path / name).exists() or name in manifest["files"] for name in parts):
            require(path, manifest, parts)
    return manifest

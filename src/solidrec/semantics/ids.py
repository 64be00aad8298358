"""`SemanticIds`: the semantic id of each item, and how it was made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from solidrec.artifacts import read_manifest, write_manifest
from solidrec.data.npy import map_npy
from solidrec.disk import new_folder
from solidrec.errors import DamagedError, DataError, UsageError
from solidrec.json_files import read_json, write_json

_FILES = ("of_item.npy", "centroids.npy", "semantics.json")


@final
@dataclass(frozen=True)
class SemanticIds:
    """Semantic ids of a catalogue.

    ``codes`` (V + 1, levels) int64 in 1..S, with 0 for padding only: one id per item, and with more
    levels one for the residual of each level (numbered on, so that no two levels share an id).
    ``centroids`` (S, F); ``labels`` are the category names, if any; ``method``, ``modalities`` and
    ``weights`` tell what was used, ``reason`` why; ``bare`` is the id of items without any of the
    modalities, 0 if there were none.
    """

    codes: np.ndarray
    centroids: np.ndarray
    labels: tuple[str, ...]
    method: str
    modalities: tuple[str, ...]
    seed: int
    reason: str
    weights: tuple[float, ...] = ()
    bare: int = 0

    @property
    def of_item(self) -> np.ndarray:
        """Ids (V + 1,) of the first, coarsest level."""
        return self.codes[:, 0]

    @property
    def table(self) -> np.ndarray:
        """Ids for models to look up: `of_item`, or all `codes` if an item has several."""
        return self.of_item if self.levels == 1 else self.codes

    @property
    def levels(self) -> int:
        """Number of ids of an item."""
        return int(self.codes.shape[1])

    @property
    def count(self) -> int:
        """Number of ids of the first level."""
        return len(self.centroids) if self.levels == 1 else int(self.of_item.max())

    def facts(self) -> dict[str, Any]:
        """Return everything but the arrays, and the sizes of the semantic ids, as plain values."""
        sizes = np.bincount(self.of_item[1:], minlength=self.count + 1)[1:]
        return {
            "method": self.method,
            "modalities": list(self.modalities),
            "weights": list(self.weights),
            "seed": self.seed,
            "reason": self.reason,
            "count": self.count,
            "levels": self.levels,
            "codes": len(self.centroids),
            "bare": self.bare,
            "items": len(self.of_item) - 1,
            "distinct": len(np.unique(self.codes[1:], axis=0)),
            "largest": int(sizes.max()),
            "empty": int((sizes == 0).sum()),
            "entropy_share": _entropy_share(sizes),
        }

    def members(self, semantic: int) -> np.ndarray:
        """Return the item indices of one semantic id in 1..S."""
        return np.flatnonzero(self.of_item == semantic)

    def save(self, folder: Path) -> None:
        """Write the semantic ids as an artifact folder, replacing an older one."""
        with new_folder(folder, replace=True) as temporary:
            np.save(temporary / "of_item.npy", self.table)
            np.save(temporary / "centroids.npy", self.centroids)
            write_json(temporary / "semantics.json", self.facts() | {"labels": list(self.labels)})
            write_manifest(temporary, kind="semantics", files=_FILES, facts={})

    @classmethod
    def load(cls, folder: Path) -> SemanticIds:
        """Read what `save` wrote; raises as `artifacts.read_manifest` does."""
        read_manifest(folder, kind="semantics", files=_FILES)
        facts = read_json(folder / "semantics.json")
        codes = load_array(folder / "of_item.npy")
        try:
            return cls(
                codes=codes.reshape(len(codes), -1),
                centroids=load_array(folder / "centroids.npy"),
                labels=tuple(facts["labels"]),
                method=facts["method"],
                modalities=tuple(facts["modalities"]),
                seed=facts["seed"],
                reason=facts["reason"],
                weights=tuple(facts.get("weights", ())),
                bare=facts.get("bare", 0),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise DamagedError(
                f"{folder / 'semantics.json'}: is not as it was written ({error!r}); make it again"
            ) from None

    def check(self, items: int) -> SemanticIds:
        """Return self if it covers a catalogue of V `items`; raises `UsageError` otherwise."""
        if len(self.codes) != items + 1:
            raise UsageError(
                f"these semantic ids are of {len(self.codes) - 1:,} items, "
                f"the data has {items:,}; make them again"
            )
        return self


def _entropy_share(sizes: np.ndarray) -> float:
    """Return the entropy of sizes (S,) relative to that of S even ones: 1 if even, 0 if all in one.

    >>> _entropy_share(np.array([5, 5])), _entropy_share(np.array([7, 0]))
    (1.0, 0.0)
    """
    share = sizes[sizes > 0] / max(sizes.sum(), 1)
    return float(abs((share * np.log(share)).sum()) / max(np.log(len(sizes)), 1e-12))


def load_array(path: Path) -> np.ndarray:
    """Read a plain array; raises `DamagedError` for anything else, a pickle included."""
    try:
        return np.array(map_npy(path))
    except DataError as error:
        raise DamagedError(f"{path}: is not a plain array; make it again") from error

"""`SemanticIds`: which semantic each item has, and how that came about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from solidrec.artifacts import new_folder, read_json, read_manifest, write_json, write_manifest
from solidrec.errors import DamagedError, UsageError


@final
@dataclass(frozen=True)
class SemanticIds:
    """Semantic ids of a catalogue.

    ``of_item`` (V + 1,) int64 in 1..S, with 0 for padding only; ``centroids`` (S, F); ``labels`` (S,) are the
    category names if there are any; ``method`` and ``modalities`` say what was used, ``reason`` why.
    """

    of_item: np.ndarray
    centroids: np.ndarray
    labels: tuple[str, ...]
    method: str
    modalities: tuple[str, ...]
    seed: int
    reason: str

    @property
    def count(self) -> int:
        """S, the number of semantic ids."""
        return len(self.centroids)

    def facts(self) -> dict[str, Any]:
        """Return everything but the arrays, and the sizes of the semantic ids, as plain values."""
        sizes = np.bincount(self.of_item[1:], minlength=self.count + 1)[1:]
        share = sizes[sizes > 0] / sizes.sum()
        return {
            "method": self.method, "modalities": list(self.modalities), "seed": self.seed, "reason": self.reason,
            "count": self.count, "items": len(self.of_item) - 1, "largest": int(sizes.max()), "empty": int((sizes == 0).sum()),
            "entropy_share": float(-(share * np.log(share)).sum() / max(np.log(self.count), 1e-12)),
        }  # fmt: skip

    def members(self, semantic: int) -> np.ndarray:
        """Return the item indices of one semantic id in 1..S."""
        return np.flatnonzero(self.of_item == semantic)

    def save(self, folder: Path) -> None:
        """Write the semantic ids as an artifact folder, replacing an older one."""
        with new_folder(folder, replace=True) as temporary:
            np.save(temporary / "of_item.npy", self.of_item)
            np.save(temporary / "centroids.npy", self.centroids)
            write_json(temporary / "semantics.json", self.facts() | {"labels": list(self.labels)})
            files = ["of_item.npy", "centroids.npy", "semantics.json"]
            write_manifest(temporary, kind="semantics", files=files, facts={})

    @classmethod
    def load(cls, folder: Path) -> SemanticIds:
        """Read what `save` wrote; raises as `artifacts.read_manifest` does."""
        read_manifest(folder, kind="semantics")
        facts = read_json(folder / "semantics.json")
        return cls(
            of_item=load_array(folder / "of_item.npy"), centroids=load_array(folder / "centroids.npy"),
            labels=tuple(facts["labels"]), method=facts["method"], modalities=tuple(facts["modalities"]),
            seed=facts["seed"], reason=facts["reason"],
        )  # fmt: skip

    def check(self, items: int) -> SemanticIds:
        """Return self if it covers a catalogue of V `items`; raises `UsageError` otherwise."""
        if len(self.of_item) != items + 1:
            raise UsageError(
                f"these semantic ids are of {len(self.of_item) - 1:,} items, the data has {items:,}; make them again"
            )
        return self


def load_array(path: Path) -> np.ndarray:
    """Read a plain array; raises `DamagedError` for anything else, a pickle included."""
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (ValueError, EOFError) as error:
        raise DamagedError(f"{path}: is not a plain array ({error}); make it again") from error

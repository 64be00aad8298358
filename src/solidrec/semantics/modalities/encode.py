"""Encoding of a catalogue to a feature matrix: each content once, in blocks that survive a kill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, NamedTuple, final

import numpy as np
import polars as pl

from solidrec.arrays import Floats32 as Floats
from solidrec.data.encoded import write_encoded
from solidrec.errors import DataError
from solidrec.semantics.modalities.base import Content, Modality, Ready, Refusal
from solidrec.semantics.modalities.cache import VectorCache

_ALIKE = 10
"""Number of different contents whose equal vectors show that the encoder ignores its input."""


class EncodedItems(NamedTuple):
    """Vectors (V, F), a zero row where an item has none, and facts about them."""

    vectors: Floats
    facts: dict[str, Any]


def encode_feature(
    modality: Modality[Ready],
    data: Path,
    catalog: pl.DataFrame,
    *,
    name: str,
    fingerprint: str,
    cache: VectorCache,
    max_unusable: float,
    step: Callable[[int], None] = lambda items: None,
) -> dict[str, Any]:
    """Encode the catalogue of the prepared folder `data` and write it there as the feature `name`.

    Returns its manifest. Raises as `encode_items` and `data.encoded.write_encoded` do.
    """
    encoded = encode_items(modality, catalog, cache=cache, max_unusable=max_unusable, step=step)
    return write_encoded(data, name, encoded.vectors, fingerprint=fingerprint, facts=encoded.facts)


def encode_items(
    modality: Modality[Ready],
    catalog: pl.DataFrame,
    *,
    cache: VectorCache,
    max_unusable: float = 0.1,
    step: Callable[[int], None] = lambda items: None,
) -> EncodedItems:
    """Return the (V, F) vectors of a catalogue, and counts of missing and unusable items by reason.

    Such items have a zero row. Raises `DataError` when more than the share `max_unusable` of the
    items that have content is unusable, when no item is usable, or when the encoder gives the same
    vector to different contents.
    """
    work = _Work(modality, cache)
    bad = 0
    digests: list[bytes | None] = []
    refused: dict[int, Refusal] = {}
    notes: Counter[str] = Counter()
    for row, content in enumerate(modality.contents(catalog)):
        if isinstance(content, Content):
            digests.append(work.offer(content.data))
            notes.update([content.note] if content.note else [])
        else:
            digests.append(None)
            refused[row] = content
            bad += not content.missing
        if bad + len(work.refused) > max_unusable * len(catalog):
            break  # too many are unusable, whatever the rest is
        step(1)
    work.finish()
    refused |= {
        row: work.refused[digest] for row, digest in enumerate(digests) if digest in work.refused
    }
    usable = {
        row: digest
        for row, digest in enumerate(digests)
        if digest is not None and row not in refused
    }
    facts = _facts(catalog, refused)
    _check(modality.encoder.name, facts, usable=len(usable), max_unusable=max_unusable)
    distinct = list(dict.fromkeys(usable.values()))
    _check_unlike(modality.encoder.name, cache, distinct)
    vectors = np.zeros((len(catalog), len(cache[distinct[0]])), dtype=np.float32)
    for row, digest in usable.items():
        vectors[row] = cache[digest]
    own: dict[str, Any] = {"encoder": modality.encoder.name, "key": modality.key}
    own |= {"encoded": len(usable), "distinct": len(distinct)}
    return EncodedItems(vectors, {**own, **facts, "notes": dict(notes)})


@final
class _Work(Generic[Ready]):
    """Encodes what the cache lacks, in batches that depend on the order of contents only.

    A block is committed between two batches, so a resumed run forms the same batches.
    """

    def __init__(self, modality: Modality[Ready], cache: VectorCache) -> None:
        self.modality, self.cache = modality, cache
        self.batch = modality.encoder.batch
        self.waiting: dict[bytes, bytes] = {}
        self.inputs: dict[bytes, Ready] = {}
        self.refused: dict[bytes, Refusal] = {}

    def offer(self, content: bytes) -> bytes:
        """Register a content and return its digest."""
        digest = self.cache.digest(content)
        places = (self.cache, self.waiting, self.inputs, self.refused)
        if not any(digest in known for known in places):
            self.waiting[digest] = content
            if len(self.waiting) == self.batch:
                self._make_ready()
        return digest

    def finish(self) -> None:
        """Encode what is left and commit it."""
        self._make_ready()
        self._encode()
        self.cache.commit()

    def _make_ready(self) -> None:
        ready = self.modality.ready(list(self.waiting.values()))
        for digest, found in zip(self.waiting, ready, strict=True):
            if isinstance(found, Refusal):
                self.refused[digest] = found
            else:
                self.inputs[digest] = found
                if len(self.inputs) == self.batch:
                    self._encode()
        self.waiting.clear()

    def _encode(self) -> None:
        if not self.inputs:
            return
        found = self.modality.encoder.encode(list(self.inputs.values()))
        vectors = np.asarray(found, dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(self.inputs) or not vectors.shape[1]:
            shape = f"{vectors.shape} for {len(self.inputs)} inputs"
            raise DataError(
                f"{self.modality.encoder.name}: returned {shape}; one vector an input is needed"
            )
        for digest, vector in zip(self.inputs, vectors, strict=True):
            with np.errstate(over="ignore", under="ignore"):
                norm = np.linalg.norm(vector)  # in float32: no sound network leaves its range
            if not np.isfinite(norm):
                self.refused[digest] = Refusal("vector_not_finite")
            elif norm == 0:
                self.refused[digest] = Refusal("vector_zero")
            else:
                self.cache.add(digest, vector)
        self.inputs.clear()
        if self.cache.full:
            self.cache.commit()


def _facts(catalog: pl.DataFrame, refused: dict[int, Refusal]) -> dict[str, Any]:
    """Count the items without a vector by reason, with an example item of each."""
    counts = {
        missing: Counter(r.reason for r in refused.values() if r.missing is missing)
        for missing in (True, False)
    }
    latest = sorted(refused.items(), reverse=True)
    first = {refusal.reason: catalog["item"][row] for row, refusal in latest}
    return {
        "missing": dict(sorted(counts[True].items())),
        "unusable": dict(sorted(counts[False].items())),
        "examples": dict(sorted(first.items())),
    }


def _check(name: str, facts: dict[str, Any], *, usable: int, max_unusable: float) -> None:
    """Raise `DataError` if too little is usable."""
    bad = sum(facts["unusable"].values())
    why = ", ".join(
        f"{reason} {count:,} (item {facts['examples'][reason]!r})"
        for reason, count in facts["unusable"].items()
    )
    if bad > max_unusable * (bad + usable):
        raise DataError(
            f"{name}: {bad:,} items cannot be used: {why}; "
            f"repair them or raise --max-unusable ({max_unusable:g})"
        )
    if not usable:
        counts = facts["missing"] | facts["unusable"]
        why = ", ".join(f"{reason} {count:,}" for reason, count in counts.items())
        why = why or "the catalogue is empty"
        raise DataError(f"{name}: no item has anything to encode: {why}")


def _check_unlike(name: str, cache: VectorCache, distinct: list[bytes]) -> None:
    """Raise `DataError` if many different contents all have one vector."""
    if len(distinct) >= _ALIKE and all(
        np.array_equal(cache[distinct[0]], cache[digest]) for digest in distinct[1:]
    ):
        raise DataError(
            f"{name}: gave one and the same vector to {len(distinct):,} different contents; "
            "check its weights"
        )

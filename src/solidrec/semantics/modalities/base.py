"""What a modality and an encoder are: content is taken from the catalogue, made ready, and encoded to vectors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import polars as pl

from solidrec.arrays import Floats32

Ready = TypeVar("Ready")
Takes_contra = TypeVar("Takes_contra", contravariant=True)


class Content(NamedTuple):
    """The bytes of one item that decide its vector, and a note to be counted, if there is one ("capped")."""

    data: bytes
    note: str = ""


class Refusal(NamedTuple):
    """Why an item gets a zero row: it has no such content (`missing`), or what it has cannot be used."""

    reason: str
    missing: bool = False


class Encoder(Protocol[Takes_contra]):
    """A network that turns inputs into vectors of one width, the same for the same input to float noise."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def key(self) -> str:
        """The sha256 of everything that decides its output: its weights and how it reads an input."""

    @property
    def batch(self) -> int:
        """How many inputs it takes at once."""

    def encode(self, inputs: Sequence[Takes_contra]) -> Floats32:
        """Return (n, F), one row an input."""


class Modality(Protocol[Ready]):
    """Where the content of items is and which encoder reads it."""

    @property
    def encoder(self) -> Encoder[Ready]:
        """The network."""

    @property
    def key(self) -> str:
        """The sha256 of all that turns content into a vector: the encoder's key and how content is made ready."""

    def contents(self, catalog: pl.DataFrame) -> Iterator[Content | Refusal]:
        """Yield what each item of the catalogue has, in order, one at a time: V contents need not fit in memory."""

    def ready(self, contents: Sequence[bytes]) -> Sequence[Ready | Refusal]:
        """Return each content as the encoder takes it, or why it cannot be."""


def key_of(**facts: Any) -> str:
    """Return the sha256 of plain facts.

    >>> key_of(weights="ab", size=224) == key_of(size=224, weights="ab") != key_of(size=225, weights="ab")
    True
    """
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

"""Interfaces of a modality and an encoder: content is made ready and encoded to vectors."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import polars as pl

from solidrec.arrays import Floats32

Ready = TypeVar("Ready")


class Content(NamedTuple):
    """Bytes of one item that decide its vector, and a note to count, if any ("capped")."""

    data: bytes
    note: str = ""


class Refusal(NamedTuple):
    """Reason for a zero row: the item has no such content (`missing`), or it cannot be used."""

    reason: str
    missing: bool = False


class Encoder(ABC, Generic[Ready]):
    """Base class of networks that map inputs to vectors of one width, but for float noise the same.

    ``name`` is for users, ``key`` says all that decides the output, such as the sha256 of weights
    and how an input is read, and ``batch`` is the number of inputs in a batch. A registered one is
    made with the `device` and the number of CPU `threads` that `solidrec encode` was given.
    """

    name: str
    key: str
    batch: int = 32

    def __init__(self, *, device: str = "cpu", threads: int = 1) -> None: ...

    @abstractmethod
    def encode(self, inputs: Sequence[Ready]) -> Floats32:
        """Return the vectors (n, F), one row per input."""


class Modality(Protocol[Ready]):
    """Source of the items' content, and the encoder that reads it."""

    @property
    def encoder(self) -> Encoder[Ready]:
        """The network."""

    @property
    def key(self) -> str:
        """The sha256 of what decides the vectors: encoder's key and how content is made ready."""

    def contents(self, catalog: pl.DataFrame) -> Iterator[Content | Refusal]:
        """Yield each item's content in the catalogue's order, one at a time to bound memory."""

    def ready(self, contents: Sequence[bytes]) -> Sequence[Ready | Refusal]:
        """Return each content as the encoder takes it, or why it cannot be used."""


def key_of(**facts: Any) -> str:
    """Return the sha256 of plain facts.

    >>> same, other = key_of(size=224, weights="ab"), key_of(size=225, weights="ab")
    >>> key_of(weights="ab", size=224) == same != other
    True
    """
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

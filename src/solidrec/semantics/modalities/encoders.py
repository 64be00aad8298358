"""Encoders by name, of texts and of pictures: the library's and those of other packages."""

from __future__ import annotations

from abc import ABC
from typing import Any

from solidrec.errors import UsageError
from solidrec.registry import Registry
from solidrec.semantics.modalities.base import Encoder
from solidrec.semantics.modalities.decode import View
from solidrec.semantics.modalities.decoders import Pixels


class TextEncoder(Encoder[str], ABC):
    """Base class of encoders of texts."""


class ImageEncoder(Encoder[Pixels], ABC):
    """Base class of encoders of (S, S, 3) RGB pixels, which are made of a picture by ``view``."""

    view: View


ENCODERS: Registry[Any] = Registry(
    "encoder",
    "solidrec.encoders",
    {
        "minilm": "solidrec.semantics.modalities.text:SentenceEncoder",
        "efficientnet-lite0": "solidrec.semantics.modalities.efficientnet:EfficientNetLite0",
    },
    base="solidrec.semantics.modalities.base:Encoder",
)
"""Subclasses of `TextEncoder` and of `ImageEncoder` by name."""


def registered(name: str, kind: type, *, device: str, threads: int) -> Any:
    """Make the encoder called `name`; raises `UsageError` if it is none of this kind."""
    found = ENCODERS[name]
    if not issubclass(found, kind):
        raise UsageError(f"encoder {name!r} is no {kind.__name__}; known: {known(kind)}")
    return found(device=device, threads=threads)


def known(kind: type) -> str:
    """Return the names of the encoders of a kind.

    >>> known(TextEncoder), known(ImageEncoder)
    ('minilm', 'efficientnet-lite0')
    """
    return ", ".join(name for name in ENCODERS if issubclass(ENCODERS[name], kind))

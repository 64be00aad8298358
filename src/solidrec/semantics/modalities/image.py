"""Image modality: an item's picture, decoded in worker processes, through a vision network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, final

import polars as pl

from solidrec.errors import UsageError
from solidrec.semantics.modalities.base import Content, Encoder, Refusal, key_of
from solidrec.semantics.modalities.decode import VERSION, View
from solidrec.semantics.modalities.decoders import Decoders, Pixels
from solidrec.semantics.modalities.efficientnet import EFFICIENTNET, EfficientNetLite0
from solidrec.semantics.modalities.onnx_file import ONNX, OnnxEncoder, read_settings
from solidrec.semantics.modalities.pictures import Pictures, picture_of


class ImageEncoder(Encoder[Pixels], Protocol):
    """Encoder of (S, S, 3) RGB pixels, with the view that a picture is converted to."""

    @property
    def view(self) -> View:
        """The size of the pixels and how a picture is cut to it."""


@final
class Images:
    """Image modality: one of `pictures` per item, decoded by `decoders` to the encoder's view."""

    def __init__(self, encoder: ImageEncoder, pictures: Pictures, decoders: Decoders) -> None:
        self.encoder, self.pictures, self.decoders = encoder, pictures, decoders
        self.key = key_of(encoder=encoder.key, view=asdict(encoder.view), decode=VERSION)

    def contents(self, catalog: pl.DataFrame) -> Iterator[Content | Refusal]:
        """Yield each item's picture, undecoded."""
        named = catalog["image"] if "image" in catalog.columns else [None] * len(catalog)
        for item, name in zip(catalog["item"], named, strict=True):
            yield picture_of(self.pictures, item, name)

    def ready(self, contents: Sequence[bytes]) -> list[Pixels | Refusal]:
        """Return the pixels."""
        return self.decoders.decode(contents)


def image_encoder(
    name: str, *, settings: Path | None = None, device: str = "cpu", threads: int = 1
) -> ImageEncoder:
    """Return an image encoder by name: ``efficientnet-lite0`` (packaged) or ``onnx:PATH``.

    `settings` is the JSON file of an ``onnx:`` encoder, by default the one beside it. Raises
    `UsageError`.
    """
    if name.startswith(ONNX):
        path = Path(name.removeprefix(ONNX))
        how = read_settings(path, settings)
        return OnnxEncoder(path, how, name=name, device=device, threads=threads)
    if settings is not None:
        raise UsageError(
            f"--image-settings belongs to --image-encoder {ONNX}PATH; {name} brings its own"
        )
    if name == EFFICIENTNET:
        return EfficientNetLite0(device=device)
    raise UsageError(f"--image-encoder {name!r} is unknown; known: {EFFICIENTNET}, {ONNX}PATH")

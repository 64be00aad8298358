"""Image modality: an item's picture, decoded in worker processes, through a vision network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import final

import polars as pl

from solidrec.errors import UsageError
from solidrec.semantics.modalities.base import Content, Refusal, key_of
from solidrec.semantics.modalities.decode import VERSION
from solidrec.semantics.modalities.decoders import Decoders, Pixels
from solidrec.semantics.modalities.encoders import ENCODERS, ImageEncoder, known, registered
from solidrec.semantics.modalities.onnx_file import ONNX, OnnxEncoder, read_settings
from solidrec.semantics.modalities.pictures import Pictures, picture_of


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
    """Return an image encoder by name: ``onnx:PATH`` or one of `ENCODERS`.

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
    if name in ENCODERS:
        made: ImageEncoder = registered(name, ImageEncoder, device=device, threads=threads)
        return made
    raise UsageError(
        f"--image-encoder {name!r} is unknown; known: {known(ImageEncoder)}, {ONNX}PATH"
    )

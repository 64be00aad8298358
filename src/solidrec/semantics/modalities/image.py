"""Image modality: an item's picture, decoded in worker processes, through a vision network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import final

import polars as pl

from solidrec.data.matching import hardly_any
from solidrec.errors import DataError, UsageError
from solidrec.semantics.modalities.base import Content, Refusal, key_of
from solidrec.semantics.modalities.decode import VERSION
from solidrec.semantics.modalities.decoders import Decoders, Pixels
from solidrec.semantics.modalities.encoders import ENCODERS, ImageEncoder, known, registered
from solidrec.semantics.modalities.onnx_file import ONNX, OnnxEncoder, read_settings
from solidrec.semantics.modalities.pictures import ENDINGS, Pictures, picture_of


@final
class Images:
    """Image modality: one of `pictures` per item, decoded by `decoders` to the encoder's view."""

    def __init__(self, encoder: ImageEncoder, pictures: Pictures, decoders: Decoders) -> None:
        self.encoder, self.pictures, self.decoders = encoder, pictures, decoders
        self.key = key_of(encoder=encoder.key, view=asdict(encoder.view), decode=VERSION)

    def contents(self, catalog: pl.DataFrame) -> Iterator[Content | Refusal]:
        """Yield each item's picture, undecoded; raises `DataError` if hardly any item has one."""
        named = catalog["image"] if "image" in catalog.columns else [None] * len(catalog)
        without = []
        for item, name in zip(catalog["item"], named, strict=True):
            content = picture_of(self.pictures, item, name)
            if isinstance(content, Refusal) and content.missing:
                without.append(name or item)
            yield content
        if without:
            self._check_enough(len(catalog), without)

    def _check_enough(self, items: int, without: Sequence[str]) -> None:
        """Raise `DataError` if hardly any item has a picture, though there are many."""
        files = [name for name in self.pictures.spelled if name.endswith(ENDINGS)]
        found = items - len(without)
        if hardly_any(found, items, len(files)):
            raise DataError(
                f"{self.pictures.root}: {found:,} of {items:,} items have a picture there; "
                f"{without[0]!r} has none, and there is {files[0]!r}; call the files after the "
                "items, or name them in a column image of the items file"
            )

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

"""Jobs that make one feature matrix for a prepared folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from solidrec.arguments import as_share
from solidrec.data.encoded import CACHE, FOLDER, check_name, open_catalog
from solidrec.semantics.modalities.base import Modality
from solidrec.semantics.modalities.cache import VectorCache
from solidrec.semantics.modalities.decoders import Decoders
from solidrec.semantics.modalities.encode import EncodedItems, encode_feature, encode_items
from solidrec.semantics.modalities.image import Images, image_encoder
from solidrec.semantics.modalities.pictures import open_pictures
from solidrec.semantics.modalities.text import Texts, text_encoder

_Progress = Callable[[int], Callable[[int], None]]


class TextJob(NamedTuple):
    """The feature `name` from text columns, by a `text.text_encoder`."""

    name: str
    encoder: str
    columns: tuple[str, ...]


class ImageJob(NamedTuple):
    """The feature `name` from a folder or zip of pictures, by an `image.image_encoder`."""

    name: str
    pictures: Path
    encoder: str
    settings: Path | None


def run_job(
    job: TextJob | ImageJob,
    data: Path,
    *,
    cache: Path | None = None,
    max_unusable: float = 0.1,
    device: str = "cpu",
    threads: int = 1,
    progress: _Progress = lambda items: lambda done: None,
) -> dict[str, Any]:
    """Make the feature of `job` in the prepared folder `data` and return its manifest.

    The vectors are kept in `cache` too. `progress` is called with the number of items and returns a
    callback for the number done. Raises as `encode.encode_feature` and the encoders do, and
    `UsageError` for a name that is taken.
    """
    most = as_share(max_unusable, "max_unusable")
    manifest, catalog = open_catalog(data)
    check_name(job.name, manifest)
    with _modality_of(job, device=device, threads=threads) as modality:
        return encode_feature(
            modality,
            data,
            catalog,
            name=job.name,
            fingerprint=manifest["fingerprint"],
            max_unusable=most,
            cache=VectorCache(cache or data / FOLDER / CACHE, modality.key),
            step=progress(len(catalog)),
        )


def encode_catalog(
    job: TextJob | ImageJob,
    catalog: pl.DataFrame,
    *,
    cache: Path,
    max_unusable: float = 0.1,
    device: str = "cpu",
    threads: int = 1,
    progress: _Progress = lambda items: lambda done: None,
) -> EncodedItems:
    """Return what `job` makes of rows outside a prepared folder; raises as `run_job` does."""
    most = as_share(max_unusable, "max_unusable")
    with _modality_of(job, device=device, threads=threads) as modality:
        found = VectorCache(cache, modality.key)
        return encode_items(
            modality, catalog, cache=found, max_unusable=most, step=progress(len(catalog))
        )


@contextmanager
def _modality_of(job: TextJob | ImageJob, *, device: str, threads: int) -> Iterator[Modality[Any]]:
    """Yield the modality of a job, its encoder loaded and its decoding processes running."""
    if isinstance(job, TextJob):
        yield Texts(text_encoder(job.encoder, device=device, threads=threads), job.columns)
        return
    pictures = open_pictures(job.pictures)
    encoder = image_encoder(job.encoder, settings=job.settings, device=device, threads=threads)
    with Decoders(encoder.view, workers=threads) as decoders:
        yield Images(encoder, pictures, decoders)

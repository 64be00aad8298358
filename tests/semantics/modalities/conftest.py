"""Real titles, real pictures, real networks, and a toy modality whose every vector is known."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from solidrec.arrays import Floats32 as Floats
from solidrec.data.ml100k import find_ml100k
from solidrec.errors import StorageError
from solidrec.semantics.modalities.base import Content, Refusal
from solidrec.semantics.modalities.decode import View
from solidrec.semantics.modalities.decoders import Decoders


class Toy:
    """A toy encoder: F numbers from a text's hash; ``nan``, ``zero`` and their like misbehave."""

    name = "toy"

    def __init__(self, batch: int = 4, key: str = "00" * 32, misbehave: bool = True) -> None:
        self.batch, self.key, self.misbehave = batch, key, misbehave
        self.seen: list[str] = []

    def encode(self, inputs: Sequence[str]) -> Floats:
        self.seen += inputs
        return np.stack([self.vector(text) for text in inputs])

    def vector(self, text: str) -> Floats:
        odd = {
            "nan": [np.nan, 1, 1],
            "inf": [np.inf, 1, 1],
            "huge": [1e30, 1, 1],
            "zero": [0, 0, 0],
            "tiny": [1e-30, 0, 0],
        }
        if self.misbehave and text in odd:
            return np.array(odd[text], dtype=np.float32)
        return (
            np.frombuffer(hashlib.sha256(text.encode()).digest()[:3], dtype=np.uint8).astype(
                np.float32
            )
            + 1
        )


class Words:
    """The toy modality: the titles; ``bad...`` cannot be made ready."""

    def __init__(self, encoder: Toy) -> None:
        self.encoder, self.key = encoder, encoder.key

    def contents(self, catalog: pl.DataFrame) -> Iterator[Content | Refusal]:
        for title in catalog["title"]:
            yield (
                Refusal("no_text", missing=True)
                if title is None
                else Content(title.encode(), "long" * (len(title) > 9))
            )

    def ready(self, contents: Sequence[bytes]) -> list[str | Refusal]:
        return [
            Refusal("bad") if content.startswith(b"bad") else content.decode()
            for content in contents
        ]


@pytest.fixture
def toy() -> type[Toy]:
    """The toy encoder."""
    return Toy


@pytest.fixture
def words() -> type[Words]:
    """The toy modality."""
    return Words


def catalog_of(titles: Sequence[str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {"item": [f"i{n}" for n in range(len(titles))], "title": pl.Series(titles, dtype=pl.String)}
    )


@pytest.fixture
def catalog() -> Callable[[Sequence[str | None]], pl.DataFrame]:
    """Make a catalogue of titles."""
    return catalog_of


@pytest.fixture(scope="session")
def movies() -> pl.DataFrame:
    """The catalogue of ml-100k: item and title."""
    try:
        return find_ml100k().items.rename({"item_id": "item"}).select("item", "title")
    except StorageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def posters(shared_data: Callable[[str], Path]) -> Path:
    """A zip of real posters, called after the items of ml-100k."""
    return shared_data("ml100k_posters") / "posters.zip"


@pytest.fixture(scope="session")
def some_posters(posters: Path) -> dict[str, bytes]:
    """Sixteen posters by item id."""
    with zipfile.ZipFile(posters) as archive:
        return {Path(name).stem: archive.read(name) for name in sorted(archive.namelist())[:16]}


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A photograph of an officer in uniform, which matplotlib carries."""
    from matplotlib.cbook import get_sample_data

    with get_sample_data("grace_hopper.jpg") as stream:
        return bytes(stream.read())


def packed(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def pack() -> Callable[..., bytes]:
    """Write an image to bytes: ``pack(image, "JPEG", quality=90)``."""
    return packed


@pytest.fixture(scope="session")
def decoders() -> Iterator[Decoders]:
    """Workers at the usual view and limits."""
    with Decoders(View(), workers=1) as found:
        yield found

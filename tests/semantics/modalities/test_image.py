from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from solidrec.errors import DataError, UsageError
from solidrec.semantics.modalities.cache import VectorCache
from solidrec.semantics.modalities.decode import Limits, View
from solidrec.semantics.modalities.decoders import Decoders, Pixels
from solidrec.semantics.modalities.encode import encode_items
from solidrec.semantics.modalities.image import Images, image_encoder
from solidrec.semantics.modalities.pictures import open_pictures

Pack = Callable[..., bytes]


class MeanColour:
    """Three numbers a picture, which anybody can check."""

    name, key, batch, view = "mean", "22" * 32, 3, View(size=16, resize=16)

    def __init__(self) -> None:
        self.count = 0

    def encode(self, inputs: list[Pixels]) -> np.ndarray:
        self.count += len(inputs)
        return np.stack(inputs).mean(axis=(1, 2)).astype(np.float32)


def test_a_folder_of_anything_becomes_vectors_and_counts(tmp_path: Path, pack: Pack) -> None:
    """A realistic folder with every kind of file at once; one bad picture costs one item."""
    blue, red, lime = (Image.new("RGB", (40, 40), colour) for colour in ("blue", "red", "lime"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(pack(red))
    files = {
        "jpg.jpg": pack(red, "JPEG", quality=95),
        "lies.jpg": pack(lime, "PNG"),
        "same.png": pack(lime, "PNG"),
        "webp.webp": pack(blue, "WEBP", lossless=True),
        "other name": pack(blue),
        "html.jpg": b"<html>404</html>",
        "empty.png": b"",
        "half.png": pack(Image.effect_noise((64, 64), 50))[:2000],
        "long.png": pack(Image.new("RGB", (9, 900))),
        "gif.png": pack(blue, "GIF"),
        "huge.png": pack(blue) + bytes(17 << 20),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    items: dict[str, str | None] = {Path(name).stem: None for name in files if name != "other name"}
    items |= {
        "named": "other name",
        "out": "../secret.png",
        "link": None,
        "gone": "gone.jpg",
        "none": None,
    }
    catalog = pl.DataFrame({"item": list(items), "image": list(items.values())})
    encoder, cache = MeanColour(), tmp_path / "cache"
    with Decoders(encoder.view, Limits()) as decoders:
        modality = Images(encoder, open_pictures(folder), decoders)
        found = encode_items(
            modality, catalog, cache=VectorCache(cache, modality.key), max_unusable=0.7
        )
        again = encode_items(
            modality, catalog, cache=VectorCache(cache, modality.key), max_unusable=0.7
        )
    assert (
        encoder.count == 4
    )  # lies.jpg and same.png are one content, and the second run had nothing to encode
    np.testing.assert_array_equal(found.vectors, again.vectors)
    assert found.facts["missing"] == {"no_picture": 2}
    assert found.facts["unusable"] == {
        "damaged": 1,
        "empty_file": 1,
        "not_a_picture": 2,
        "outside_folder": 2,
        "too_long": 1,
        "too_many_bytes": 1,
    }
    vectors = dict(zip(items, found.vectors.round().tolist(), strict=True))
    expected = {"lies": [0, 255, 0], "same": [0, 255, 0], "webp": [0, 0, 255], "named": [0, 0, 255]}
    assert {name: vectors.pop(name) for name in expected} == expected
    assert np.abs(np.array(vectors.pop("jpg")) - [255, 0, 0]).max() <= 3
    assert not np.array(list(vectors.values())).any()


def test_posters_in_a_zip_belong_to_their_items(
    posters: Path, movies: pl.DataFrame, tmp_path: Path
) -> None:
    with zipfile.ZipFile(posters) as archive:
        there = {Path(name).stem for name in archive.namelist()}
    catalog = movies.head(40)
    encoder = MeanColour()
    with Decoders(encoder.view) as decoders:
        modality = Images(encoder, open_pictures(posters), decoders)
        found = encode_items(modality, catalog, cache=VectorCache(tmp_path, modality.key))
    assert found.vectors.any(axis=1).tolist() == [item in there for item in catalog["item"]]
    assert found.facts["unusable"] == {}


def test_the_key_is_of_the_network_and_of_how_pixels_are_made(tmp_path: Path) -> None:
    encoder, other = MeanColour(), MeanColour()
    other.view = View(size=16, resize=20)  # type: ignore[misc]
    pictures = open_pictures(tmp_path)
    with Decoders(encoder.view) as decoders:
        keys = {Images(each, pictures, decoders).key for each in (encoder, MeanColour(), other)}
    assert len(keys) == 2


def test_an_unknown_encoder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="'resnet' is unknown; known: efficientnet-lite0, onnx:PATH"
    ):
        image_encoder("resnet")
    with pytest.raises(UsageError, match="--image-settings belongs to"):
        image_encoder("efficientnet-lite0", settings=tmp_path)


def test_a_folder_whose_files_belong_to_hardly_any_item_shows_one_of_either_side(
    tmp_path: Path, pack: Pack, decoders: Decoders
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(30):
        (folder / f"{number:03}.png").write_bytes(pack(Image.new("RGB", (20, 20), "red")))
    images = Images(MeanColour(), open_pictures(folder), decoders)

    def encoded(items: list[str]) -> int:
        catalog = pl.DataFrame({"item": items})
        cache = VectorCache(tmp_path / "cache", MeanColour.key)
        return int(encode_items(images, catalog, cache=cache).facts["encoded"])

    with pytest.raises(
        DataError, match=r"pictures: 0 of 30 items .*; '0' has none, and there is '"
    ):
        encoded([str(number) for number in range(30)])
    with pytest.raises(DataError, match="pictures: 2 of 21 items have a picture there; '0' has no"):
        encoded([*(str(number) for number in range(19)), "007", "008"])
    assert encoded([*(str(number) for number in range(18)), "007", "008"]) == 2  # a tenth
    assert encoded(["a", "b", "007"]) == 1

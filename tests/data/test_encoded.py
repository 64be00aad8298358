from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.artifacts import MANIFEST, write_manifest
from solidrec.data.encoded import _digest, check_name, open_catalog, read_facts, write_encoded
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import DamagedError, IncompatibleError, UsageError
from solidrec.semantics.make_ids import plan
from solidrec.semantics.modality import available, modality
from solidrec.spec import SemanticsSpec

Walk = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]


def matrix(seed: int = 0, width: int = 3) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(41, width)).astype(np.float32)
    vectors[0] = 0
    return vectors


@pytest.fixture
def copy(data: PreparedData, tmp_path: Path) -> PreparedData:
    """The walk data in a folder of its own, which has a feature matrix "content"."""
    shutil.copytree(data.path, tmp_path / "copy")
    return PreparedData.open(tmp_path / "copy")


def write(data: PreparedData, name: str, vectors: np.ndarray, **facts: Any) -> dict[str, Any]:
    return write_encoded(data.path, name, vectors[1:], fingerprint=data.fingerprint, facts=facts)


def test_an_encoded_feature_is_one_of_the_features(copy: PreparedData) -> None:
    manifest = write(copy, "text", matrix(), encoder="toy")
    opened = PreparedData.open(copy.path)
    assert list(opened.features) == ["content", "text"]
    np.testing.assert_array_equal(opened.features["text"], matrix())
    np.testing.assert_array_equal(opened.features["content"], copy.features["content"])
    assert opened.encoded == {"text": _digest(matrix())} == {"text": manifest["digest"]}
    assert opened.fingerprint == copy.fingerprint
    assert copy.encoded == {}
    expected = {
        "encoder": "toy",
        "items": 40,
        "width": 3,
        "data": copy.fingerprint,
        "digest": _digest(matrix()),
    }
    assert read_facts(copy.path, "text") == {"kind": "features", "format": 1, **expected}


def test_writing_again_replaces(copy: PreparedData) -> None:
    write(copy, "text", matrix(0))
    write(copy, "text", matrix(1, width=5))
    opened = PreparedData.open(copy.path)
    np.testing.assert_array_equal(opened.features["text"], matrix(1, width=5))
    assert [path.name for path in (copy.path / "features").iterdir()] == ["text"]


def test_semantics_take_it_like_any_feature_matrix(copy: PreparedData) -> None:
    write(copy, "text", matrix())
    opened = PreparedData.open(copy.path)
    spec = SemanticsSpec.parse({"modalities": ("text",)})
    assert available(opened) == ("content", "text", "categories", "id")
    assert plan(opened, spec).modalities == ("text",)
    np.testing.assert_array_equal(
        modality(opened, "text", lambda: matrix(9), seed=0), matrix()[1:]
    )  # and not the built-in one


def test_what_lies_in_the_folder_besides_is_left_alone(copy: PreparedData) -> None:
    write(copy, "text", matrix())
    for name in (".cache", ".tmp-1-x", ".old-1-text"):
        (copy.path / "features" / name).mkdir()
    (copy.path / "features" / "note").write_text("mine")
    assert list(PreparedData.open(copy.path).encoded) == ["text"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "vectors.npy").write_bytes(
            (folder / "vectors.npy").read_bytes()[:-4]
        ),
        lambda folder: (folder / "vectors.npy").unlink(),
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_text("{"),
        lambda folder: edit(folder, lambda manifest: manifest.pop("digest")),
        lambda folder: edit(folder, lambda manifest: manifest.update(width=4)),
        lambda folder: edit(folder, lambda manifest: manifest.update(kind="data")),
    ],
)
def test_a_damaged_one_says_how_to_make_it_again(
    copy: PreparedData, damage: Callable[[Path], object]
) -> None:
    write(copy, "text", matrix())
    damage(copy.path / "features" / "text")
    with pytest.raises(
        DamagedError,
        match=r"features/text.*make it again with `solidrec encode .*copy --name text`",
    ) as caught:
        PreparedData.open(copy.path)
    assert "\n" not in str(caught.value)
    assert (
        open_catalog(copy.path)[0]["fingerprint"] == copy.fingerprint
    )  # so that it can be made again
    write(copy, "text", matrix())
    assert list(PreparedData.open(copy.path).encoded) == ["text"]


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_one_of_another_catalogue_is_refused(
    copy: PreparedData, walk: Walk, tmp_path: Path
) -> None:
    log, items = walk()
    other = prepare(log, items=items.with_columns(pl.col("title") + "!"), out=tmp_path / "other")
    write(other, "text", matrix())
    shutil.copytree(other.path / "features", copy.path / "features")
    with pytest.raises(
        IncompatibleError,
        match=f"is of data {other.fingerprint[:12]}.*is {copy.fingerprint[:12]}; remove",
    ):
        PreparedData.open(copy.path)


def test_a_name_that_was_given_to_prepare_is_taken(copy: PreparedData) -> None:
    manifest, _ = open_catalog(copy.path)
    check_name("text", manifest)
    for name in ("content", "id", "", ".cache", "a/b", "x" * 65):
        with pytest.raises(UsageError, match="--name NAME"):
            check_name(name, manifest)
    write(copy, "content", matrix())
    with pytest.raises(UsageError, match="has a feature matrix 'content' of its own"):
        PreparedData.open(copy.path)


def test_the_digest_is_of_the_numbers() -> None:
    assert _digest(matrix()) == _digest(np.asfortranarray(matrix()))
    assert (
        len(
            {
                _digest(matrix()),
                _digest(matrix(1)),
                _digest(matrix()[:-1]),
                _digest(matrix().astype(np.float64)),
            }
        )
        == 4
    )  # type: ignore[arg-type]


def test_a_folder_from_before_there_were_pictures_opens(copy: PreparedData) -> None:
    path = copy.path / "items.parquet"
    pl.read_parquet(path).drop("image").write_parquet(path)
    manifest = json.loads((copy.path / MANIFEST).read_text())
    files = manifest.pop("files")
    facts = {
        key: value for key, value in manifest.items() if key not in ("kind", "format", "versions")
    }
    write_manifest(copy.path, kind="data", files=files, facts=facts)
    opened = PreparedData.open(copy.path)
    assert "image" not in opened.catalog.columns
    write(opened, "text", matrix())
    assert list(PreparedData.open(copy.path).encoded) == ["text"]

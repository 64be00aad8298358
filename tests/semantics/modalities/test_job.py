from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from solidrec.artifacts import sha256
from solidrec.data.encoded import read_facts
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError, UsageError
from solidrec.semantics.modalities import job as module
from solidrec.semantics.modalities.job import ImageJob, TextJob, run_job

Pack = Callable[..., bytes]


@pytest.fixture
def copy(data: PreparedData, tmp_path: Path) -> Path:
    shutil.copytree(data.path, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, toy: Any) -> list[Any]:
    """The toy encoder in the place of the real one; a list of those that were made."""
    made: list[Any] = []

    def make(name: str, *, device: str, threads: int) -> Any:
        made.append(toy(key=("33" if name == "toy" else "44") * 32))
        return made[-1]

    monkeypatch.setattr(module, "text_encoder", make)
    return made


def test_the_same_job_again_encodes_nothing_and_gives_the_same_bytes(
    copy: Path, counted: list[Any]
) -> None:
    run_job(TextJob("text", "toy", ("title",)), copy)
    first = [sha256(copy / "features" / "text" / name) for name in ("vectors.npy", "manifest.json")]
    run_job(TextJob("text", "toy", ("title",)), copy)
    assert [len(encoder.seen) for encoder in counted] == [40, 0]
    assert [
        sha256(copy / "features" / "text" / name) for name in ("vectors.npy", "manifest.json")
    ] == first


def test_a_cache_serves_other_data_and_another_encoder_shares_nothing(
    copy: Path, counted: list[Any], tmp_path: Path
) -> None:
    shutil.copytree(copy, tmp_path / "other")
    cache = tmp_path / "cache"
    run_job(TextJob("text", "toy", ("title",)), copy, cache=cache)
    run_job(TextJob("text", "toy", ("title",)), tmp_path / "other", cache=cache)
    run_job(TextJob("text", "another", ("title",)), copy, cache=cache)
    run_job(TextJob("text", "toy", ("title", "categories")), copy, cache=cache)
    assert [len(encoder.seen) for encoder in counted] == [40, 0, 40, 40]
    assert not (copy / "features" / ".cache").exists()


def test_what_cannot_be_is_refused_before_a_network_is_loaded(
    copy: Path, counted: list[Any]
) -> None:
    with pytest.raises(UsageError, match="already, which was given to prepare"):
        run_job(TextJob("content", "toy", ("title",)), copy)
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(UsageError, match="give a share from 0 to 1"):
            run_job(TextJob("text", "toy", ("title",)), copy, max_unusable=share)
    assert counted == []


def test_pictures_of_a_zip_through_the_real_network(copy: Path, tmp_path: Path, pack: Pack) -> None:
    """A few drawn pictures, two of them the same, one of them no picture."""
    opened = PreparedData.open(copy)
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for item in opened.catalog["item"][:10]:
            image = Image.fromarray(rng.integers(0, 256, (6, 4, 3), dtype=np.uint8)).resize(
                (60, 90)
            )
            archive.writestr(f"shop/{item}.png", pack(image))
        archive.writestr(
            f"shop/{opened.catalog['item'][10]}.jpg",
            archive.read(f"shop/{opened.catalog['item'][0]}.png"),
        )
        archive.writestr(f"shop/{opened.catalog['item'][11]}.jpg", b"<html>")
    job = ImageJob("image", tmp_path / "pictures.zip", "efficientnet-lite0", None)
    steps: list[int] = []
    manifest = run_job(job, copy, progress=lambda items: steps.append)
    assert sum(steps) == 40
    assert (manifest["encoded"], manifest["distinct"], manifest["width"]) == (11, 10, 1280)
    assert (manifest["missing"], manifest["unusable"]) == ({"no_picture": 28}, {"not_a_picture": 1})
    vectors = PreparedData.open(copy).features["image"]
    assert vectors.any(axis=1).tolist() == [False] + [True] * 11 + [False] * 29
    np.testing.assert_array_equal(vectors[1], vectors[11])
    assert len(np.unique(vectors[1:11], axis=0)) == 10
    with pytest.raises(DataError, match="1 items cannot be used: not_a_picture 1"):
        run_job(job, copy, max_unusable=0.05)
    assert read_facts(copy, "image")["encoded"] == 11  # what was there stays

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError, StorageError
from solidrec.report.semantic_map.groups import Group
from solidrec.report.semantic_map.pictures import _SIDE, _TRIED, EACH, thumbnails


def group(number: int, central: list[int]) -> Group:
    own = np.array(central)
    return Group(number, "", np.sort(own), own, 0, None, 0)


def colour_of(uri: str) -> np.ndarray:
    """The mean colour of a thumbnail; its form is checked on the way."""
    head, _, body = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(body, validate=True))) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (_SIDE, _SIDE), "RGB")
        return np.asarray(image).mean((0, 1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures i00 to i29 with a red of 8 times the number; i01 is damaged, i02 is missing."""
    for number in range(30):
        if number != 2:
            Image.new("RGB", (150, 200), (8 * number, 100, 100)).save(
                tmp_path / f"i{number:02}.png"
            )
    (tmp_path / "i01.png").write_bytes(b"no picture")
    return tmp_path


def test_the_most_central_pictures_that_can_be_used_are_shown(
    data: PreparedData, folder: Path
) -> None:
    assert [data.items.id(item) for item in (1, 2, 3)] == ["i00", "i01", "i02"]
    found = thumbnails(data, [group(1, [2, 3, 9, 4, 5, 6, 7]), group(2, [30, 31, 1])], folder)
    assert list(found) == [9, 30, 4, 1, 5, 6]  # one a group, then a second one
    for item, uri in found.items():
        assert np.abs(colour_of(uri) - [8 * (item - 1), 100, 100]).max() < 4
    assert (
        thumbnails(data, [group(1, [2, 3, 9, 4, 5, 6, 7]), group(2, [30, 31, 1])], folder) == found
    )


def test_a_zip_is_as_good_as_a_folder(data: PreparedData, folder: Path) -> None:
    with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
        for path in folder.glob("*.png"):
            archive.write(path, path.name)
    groups = [group(1, [2, 4, 6])]
    assert thumbnails(data, groups, folder / "pictures.zip") == thumbnails(data, groups, folder)


def test_the_budget_is_kept_and_each_group_has_one_before_any_has_two(
    data: PreparedData, folder: Path
) -> None:
    groups = [group(number, list(range(5 * number + 4, 5 * number + 9))) for number in range(4)]
    everything = thumbnails(data, groups, folder)
    assert len(everything) == 4 * EACH
    budget = sum(map(len, list(everything.values())[:6]))
    some = thumbnails(data, groups, folder, budget=budget)
    assert list(some) == list(everything)[:6]
    assert thumbnails(data, groups, folder, budget=100) == {}


def test_only_so_many_items_are_looked_at(data: PreparedData, folder: Path) -> None:
    assert thumbnails(data, [group(1, [*range(31, 31 + 10), 2, 3, 5])], folder) == {}
    assert _TRIED == 12
    steps: list[int] = []
    thumbnails(data, [group(1, [4]), group(2, [5])], folder, step=steps.append)
    assert sum(steps) == 2 * EACH


def test_a_missing_folder_and_a_broken_zip_are_told(data: PreparedData, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such folder"):
        thumbnails(data, [group(1, [1])], tmp_path / "none")
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="is not a zip"):
        thumbnails(data, [group(1, [1])], tmp_path / "x.zip")

from __future__ import annotations

import os
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pytest

from solidrec.errors import DataError, StorageError
from solidrec.semantics.modalities.base import Content, Refusal
from solidrec.semantics.modalities.pictures import (
    _NONE,
    PictureFolder,
    PictureZip,
    open_pictures,
    picture_of,
)

OUTSIDE = Refusal("outside_folder")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a.jpg and sub/b.png, and a secret beside it."""
    folder = tmp_path / "pictures"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"A")
    (folder / "sub" / "b.png").write_bytes(b"B")
    (tmp_path / "secret").write_bytes(b"S")
    (tmp_path / "pictures-of-others").mkdir()
    (tmp_path / "pictures-of-others" / "c.jpg").write_bytes(b"C")
    return folder


def test_names_below_the_folder_are_read(root: Path) -> None:
    pictures = PictureFolder(root)
    assert pictures.read("a.jpg") == Content(b"A")
    assert pictures.read("sub/b.png") == Content(b"B")
    assert pictures.read("sub/../a.jpg") == Content(b"A")
    assert pictures.read("c.jpg") == _NONE
    assert pictures.read("a.jpg/x") == _NONE
    assert pictures.read("x" * 300) == _NONE


@pytest.mark.parametrize(
    "name",
    ["../secret", "sub/../../secret", "../pictures-of-others/c.jpg", "/etc/hostname", "..", "/"],
)
def test_no_name_leads_out_of_the_folder(root: Path, name: str) -> None:
    assert PictureFolder(root).read(name) == OUTSIDE
    assert PictureFolder(root).read(str(root.parent / "secret")) == OUTSIDE


def test_no_link_leads_out_of_the_folder(root: Path) -> None:
    (root / "out.jpg").symlink_to(root.parent / "secret")
    (root / "up").symlink_to(root.parent)
    (root / "in.jpg").symlink_to(root / "a.jpg")
    (root / "ring.jpg").symlink_to(root / "ring.jpg")
    pictures = PictureFolder(root)
    assert pictures.read("out.jpg") == OUTSIDE
    assert pictures.read("up/secret") == OUTSIDE
    assert pictures.read("in.jpg") == Content(b"A")
    assert pictures.read("ring.jpg") == Refusal("unreadable")


def test_a_folder_that_is_itself_a_link_is_followed(root: Path) -> None:
    (root.parent / "link").symlink_to(root)
    assert PictureFolder(root.parent / "link").read("a.jpg") == Content(b"A")


def test_what_is_no_plain_file_is_refused_without_waiting(root: Path) -> None:
    os.mkfifo(root / "pipe.jpg")
    pictures = PictureFolder(root)
    assert pictures.read("pipe.jpg") == Refusal("unreadable")
    assert pictures.read("sub") == Refusal("unreadable")
    assert pictures.read("nul\0.jpg") == Refusal("unreadable")


def test_size_is_limited_before_anything_is_opened(root: Path) -> None:
    (root / "four.jpg").write_bytes(b"1234")
    (root / "none.jpg").write_bytes(b"")
    with (root / "huge.jpg").open("wb") as stream:
        stream.truncate(1 << 40)  # a terabyte of nothing
    pictures = PictureFolder(root, max_bytes=4)
    assert pictures.read("four.jpg") == Content(b"1234")
    assert pictures.read("huge.jpg") == Refusal("too_many_bytes")
    assert pictures.read("none.jpg") == Refusal("empty_file")


def test_an_item_has_the_picture_that_it_names_or_the_one_that_has_its_name(root: Path) -> None:
    pictures = PictureFolder(root)
    assert picture_of(pictures, "x", "sub/b.png") == Content(b"B")
    assert picture_of(pictures, "a", None) == Content(b"A")
    assert picture_of(pictures, "sub/b", None) == Content(b"B")
    assert (
        picture_of(pictures, "a", "c.jpg") == _NONE
    )  # what it names is not there; a picture of another name is not taken
    assert picture_of(pictures, "a", "https://shop.example/a.jpg") == Content(
        b"A"
    )  # an address is no name of a file
    assert picture_of(pictures, "z", None) == _NONE
    assert picture_of(pictures, "../secret", None) == OUTSIDE


def packed(path: Path, members: dict[str, bytes], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_zip_is_read_like_a_folder(tmp_path: Path) -> None:
    pictures = open_pictures(
        packed(tmp_path / "p.zip", {"a.jpg": b"A", "sub/b.png": b"B", "none.jpg": b""})
    )
    assert pictures.read("a.jpg") == Content(b"A")
    assert pictures.read("sub/b.png") == Content(b"B")
    assert pictures.read("none.jpg") == Refusal("empty_file")
    assert [
        pictures.read(name) for name in ("c.jpg", "../a.jpg", "/a.jpg", "sub", "sub/", "a\0.jpg")
    ] == [_NONE] * 6


def test_the_one_top_folder_of_a_zip_may_be_left_out(tmp_path: Path) -> None:
    one = PictureZip(packed(tmp_path / "one.zip", {"top/a.jpg": b"A", "top/sub/b.png": b"B"}))
    assert [one.read(name) for name in ("a.jpg", "top/a.jpg", "sub/b.png")] == [
        Content(b"A"),
        Content(b"A"),
        Content(b"B"),
    ]
    two = PictureZip(packed(tmp_path / "two.zip", {"top/a.jpg": b"A", "b.jpg": b"B"}))
    assert [two.read(name) for name in ("a.jpg", "b.jpg")] == [_NONE, Content(b"B")]


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = packed(tmp_path / "bomb.zip", {"a.jpg": bytes(50 << 20)})
    assert path.stat().st_size < 100_000
    assert PictureZip(path).read("a.jpg") == Refusal("too_many_bytes")
    lying = path.read_bytes().replace((50 << 20).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    path.write_bytes(lying)
    assert PictureZip(path).read("a.jpg") == Refusal(
        "unreadable"
    )  # its checksum is not that of 100 bytes


def test_a_damaged_member_costs_itself_alone(tmp_path: Path) -> None:
    path = packed(tmp_path / "p.zip", {"a.jpg": bytes(range(256)) * 4, "b.jpg": b"B"})
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    pictures = PictureZip(path)
    assert pictures.read("a.jpg") == Refusal("unreadable")
    assert pictures.read("b.jpg") == Content(b"B")


def test_what_is_neither_folder_nor_zip_is_said(tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="is not a zip"):
        open_pictures(tmp_path / "p.zip")
    with pytest.raises(StorageError, match="no such folder of pictures"):
        open_pictures(tmp_path / "none")


@pytest.mark.parametrize("zipped", [False, True])
def test_a_name_that_is_only_spelled_otherwise_is_found_and_counted(
    tmp_path: Path, zipped: bool
) -> None:
    """Suffixes of cameras, and names as macOS writes them; a stem of another case is another."""
    decomposed = unicodedata.normalize("NFD", "sub/caf\u00e9")
    files = {f"{decomposed}.jpg": b"C", "camera.JPG": b"J", "b.png": b"exact", "b.PNG": b"other"}
    source = tmp_path / "p.zip"
    if zipped:
        packed(source, files)
    else:
        source = tmp_path / "p"
        (source / "sub").mkdir(parents=True)
        for name, content in files.items():
            (source / name).write_bytes(content)
    pictures = open_pictures(source)
    assert picture_of(pictures, "sub/caf\u00e9", None) == Content(b"C", "spelled_otherwise")
    assert picture_of(pictures, decomposed, None) == Content(b"C")
    assert picture_of(pictures, "camera", None) == Content(b"J", "spelled_otherwise")
    assert picture_of(pictures, "x", "camera.Jpg") == Content(b"J", "spelled_otherwise")
    assert picture_of(pictures, "b", None) == Content(b"exact")
    for other in ("Camera", "cafe", "camera.JPG", "."):
        assert picture_of(pictures, other, None) == _NONE


def test_the_second_folder_of_a_zip_of_macos_is_no_folder_of_pictures(tmp_path: Path) -> None:
    path = packed(tmp_path / "p.zip", {"top/a.jpg": b"A", "__MACOSX/top/._a.jpg": b"attributes"})
    assert PictureZip(path).read("a.jpg") == Content(b"A")


def test_spelling_leads_out_of_no_folder(root: Path) -> None:
    (root.parent / "secret.JPG").write_bytes(b"S")
    (root / "out.JPG").symlink_to(root.parent / "secret.JPG")
    pictures = PictureFolder(root)
    assert picture_of(pictures, "../secret", None) == OUTSIDE
    assert picture_of(pictures, "out", None) == OUTSIDE

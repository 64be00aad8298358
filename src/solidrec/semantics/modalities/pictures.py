"""Sources of pictures, a folder or a zip: no name leads out of them, and every read is limited."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol, final

from solidrec.errors import DataError, StorageError
from solidrec.semantics.modalities.base import Content, Refusal

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
"""Suffixes of a picture that is called after its item."""
_MAX_BYTES = 16 << 20
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_NONE = Refusal("no_picture", missing=True)
_OUTSIDE = Refusal("outside_folder")
_TOO_LARGE = Refusal("too_many_bytes")
_UNREADABLE = Refusal("unreadable")


class Pictures(Protocol):
    """Pictures by name."""

    @property
    def root(self) -> Path:
        """Folder or zip that holds them."""

    @property
    def spelled(self) -> Mapping[str, str]:
        """Name of every file by its `plain` spelling."""

    def read(self, name: str) -> Content | Refusal:
        """Return the bytes of a picture, or why there are none; `name` is untrusted."""


@final
class PictureFolder:
    """Pictures of a folder; a name or a link that leads out of it is refused.

    Raises `StorageError` without the folder.
    """

    def __init__(self, root: Path, *, max_bytes: int = _MAX_BYTES) -> None:
        if not root.is_dir():
            raise StorageError(f"{root}: no such folder of pictures")
        self.root = root.resolve()
        self.max_bytes = max_bytes

    @cached_property
    def spelled(self) -> Mapping[str, str]:
        """Name of every file below the root by its `plain` spelling."""
        found = (Path(folder, file) for folder, _, files in os.walk(self.root) for file in files)
        return _by_spelling(path.relative_to(self.root).as_posix() for path in found)

    def read(self, name: str) -> Content | Refusal:
        """Return the bytes of a regular file below the root."""
        try:
            path = (self.root / name).resolve()
            if not path.is_relative_to(self.root):
                return _OUTSIDE
            # a pipe must not block, and a file must not have become a link since it was resolved
            flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
            file = os.open(path, os.O_RDONLY | flags)
        except OSError as error:
            return _NONE if error.errno in _NOT_THERE else _UNREADABLE
        except (ValueError, RuntimeError):  # a NUL in the name, a cycle of links
            return _UNREADABLE
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > self.max_bytes:
            os.close(file)
            return _TOO_LARGE if stat.S_ISREG(facts.st_mode) else _UNREADABLE
        with os.fdopen(file, "rb") as stream:
            return _within(stream.read(self.max_bytes + 1), self.max_bytes)


@final
class PictureZip:
    """Pictures of a zip; its one top folder, if it has one, may be left out of names.

    Raises `StorageError` if it is not there and `DataError` if it is no zip.
    """

    def __init__(self, path: Path, *, max_bytes: int = _MAX_BYTES) -> None:
        self.root, self.max_bytes = path, max_bytes
        try:
            self.archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise DataError(f"{path}: is not a zip ({error})") from error
        except OSError as error:
            raise StorageError(f"{path}: cannot be read ({error.strerror or error})") from error
        # a zip packed on macOS has a second folder, of attributes
        self.members = {
            info.filename: info
            for info in self.archive.infolist()
            if not info.is_dir() and not info.filename.startswith("__MACOSX/")
        }
        tops = {name.partition("/")[0] if "/" in name else "" for name in self.members}
        if len(tops) == 1 and "" not in tops:
            self.members |= {name.partition("/")[2]: info for name, info in self.members.items()}

    @cached_property
    def spelled(self) -> Mapping[str, str]:
        """Name of every member by its `plain` spelling."""
        return _by_spelling(self.members)

    def read(self, name: str) -> Content | Refusal:
        """Return a member's bytes, if neither the stated nor the unpacked size is too large."""
        info = self.members.get(name)
        if info is None:
            return _NONE
        if info.file_size > self.max_bytes:
            return _TOO_LARGE
        try:
            with self.archive.open(info) as stream:
                return _within(stream.read(self.max_bytes + 1), self.max_bytes)
        except Exception:  # damaged, encrypted and unknown packing raise errors of their own
            return _UNREADABLE


def _within(data: bytes, limit: int) -> Content | Refusal:
    """Return the bytes unless there are none or too many.

    >>> _within(b"", 3)
    Refusal(reason='empty_file', missing=False)
    >>> _within(b"abcd", 3), _within(b"abc", 3)
    (Refusal(reason='too_many_bytes', missing=False), Content(data=b'abc', note=''))
    """
    if not data:
        return Refusal("empty_file")
    return _TOO_LARGE if len(data) > limit else Content(data)


def open_pictures(path: Path, *, max_bytes: int = _MAX_BYTES) -> Pictures:
    """Return the pictures of a folder, or of a file that must be a zip."""
    source = PictureZip if path.is_file() else PictureFolder
    return source(path, max_bytes=max_bytes)


def picture_of(pictures: Pictures, item: str, named: str | None) -> Content | Refusal:
    """Return the picture that an item's row names (unless a URL), else that named by its id.

    A file whose name is only spelled otherwise serves where no other does, with a note.
    """
    by_row = named is not None and "://" not in named
    names = [named] if by_row and named else [f"{item}{ending}" for ending in ENDINGS]
    for name in names:
        found = pictures.read(name)
        if found != _NONE:
            return found
    others = (pictures.spelled.get(plain(name)) for name in names)
    found = next((pictures.read(other) for other in others if other is not None), _NONE)
    return found._replace(note="spelled_otherwise") if isinstance(found, Content) else found


def plain(name: str) -> str:
    """Return a file name in composed Unicode (NFC) with its suffix in lower case.

    >>> plain("Cafe\N{COMBINING ACUTE ACCENT}.JPG")
    'Café.jpg'
    """
    stem, suffix = posixpath.splitext(unicodedata.normalize("NFC", name))
    return stem + suffix.lower()


def _by_spelling(names: Iterable[str]) -> dict[str, str]:
    """Return names by their `plain` spelling, the first of those that share one."""
    found: dict[str, str] = {}
    for name in sorted(names):
        found.setdefault(plain(name), name)
    return found

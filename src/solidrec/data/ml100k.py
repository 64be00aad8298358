"""MovieLens 100K: from an installed RecBole, from GroupLens' files, or downloaded on request."""

from __future__ import annotations

import hashlib
import io
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import final

import polars as pl

from solidrec.data.datasets import recbole
from solidrec.data.readers import read_table
from solidrec.disk import write_file
from solidrec.errors import DataError, StorageError

_URL = "https://files.grouplens.org/datasets/movielens/ml-100k.zip"
_MD5 = "0e33842e24a9c977be4e0107933c0723"
_MAX_BYTES = 32 << 20
_NEEDED = ("u.data", "u.item", "README")
_TERMS = (
    "research use only, cite Harper & Konstan 2015 (doi 10.1145/2827872), no redistribution or "
    "commercial use without permission (GroupLens README)"
)
_FLAGS = (
    "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy "
    "Film-Noir Horror Musical Mystery Romance Sci-Fi Thriller War Western"
)
_GENRES = tuple(_FLAGS.split())
"""The genres of u.item, in the order of its flags."""


@final
@dataclass(frozen=True)
class MovieLens:
    """MovieLens 100K as two frames for `prepare`, and one line on the source and its terms.

    `interactions`: user_id, item_id, rating, timestamp. `items`: item_id, title, categories (list
    of genres).
    """

    interactions: pl.DataFrame
    items: pl.DataFrame
    source: str


def find_ml100k(folder: Path | str | None = None) -> MovieLens:
    """Return MovieLens 100K from `folder`, or by default from the copy in an installed `recbole`.

    Raises `StorageError` that says how to get the data if there is none.
    """
    if folder is not None:
        folder = Path(folder)
        for reader, name in ((_read_grouplens, "u.data"), (_read_recbole, "ml-100k.inter")):
            if (folder / name).is_file():
                return reader(folder)
        raise StorageError(f"{folder}: has neither u.data nor ml-100k.inter; unpack {_URL} there")
    packaged = _packaged()
    if packaged is None:
        raise StorageError(
            "MovieLens 100K is not here: `pip install --no-deps recbole` brings a copy, "
            "`solidrec demo --download` fetches it from GroupLens and checks its md5, `--data "
            "FOLDER` names one that you have"
        )
    return _read_recbole(packaged)


def download(folder: Path | str) -> Path:
    """Download MovieLens 100K from GroupLens, unpack it into `folder`, and return `folder`.

    Raises `StorageError` when the network or the disk refuses, and `DataError` when the md5 of the
    download is not the known one; nothing is unpacked then.
    """
    folder = Path(folder)
    try:
        with urllib.request.urlopen(_URL, timeout=60) as reply:
            packed = reply.read(_MAX_BYTES + 1)
    except (urllib.error.URLError, OSError) as error:
        raise StorageError(
            f"{_URL}: cannot be downloaded ({error}); check the network or fetch it by hand"
        ) from error
    _unpack(packed, folder)
    return folder


def _unpack(packed: bytes, folder: Path) -> None:
    """Write the needed files of the ml-100k zip to `folder`.

    Raises `DataError` unless `packed` has the known md5.
    """
    found = hashlib.md5(packed, usedforsecurity=False).hexdigest()
    if found != _MD5:
        raise DataError(
            f"{_URL}: md5 is {found}, {_MD5} was expected; try again, nothing was unpacked"
        )
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        for name in _NEEDED:
            content = archive.read(f"ml-100k/{name}")
            write_file(
                folder / name,
                lambda path, content=content: path.write_bytes(content),  # type: ignore[misc]
            )


def _packaged() -> Path | None:
    """Return the folder of RecBole's copy, found in its metadata without importing it."""
    try:
        listed = files("recbole") or []
    except PackageNotFoundError:
        return None
    hits = (Path(str(entry.locate())) for entry in listed if entry.name == "ml-100k.inter")
    return next((hit.parent for hit in hits if hit.is_file()), None)


def _read_recbole(folder: Path) -> MovieLens:
    """Read RecBole's atomic files, where the year of a title is a column of its own."""
    interactions = read_table(folder / "ml-100k.inter").collect(pl.all())
    interactions = interactions.rename(
        {column: column.partition(":")[0] for column in interactions.columns}
    )
    items = recbole.read_items(folder / "ml-100k.item").collect(pl.all())
    return MovieLens(interactions, items, f"MovieLens 100K as packaged in RecBole; {_TERMS}")


def _read_grouplens(folder: Path) -> MovieLens:
    """Read u.data (tabs, no header) and u.item (latin-1, 24 fields, the last 19 genre flags)."""
    columns = ["user_id", "item_id", "rating", "timestamp"]
    interactions = pl.read_csv(
        folder / "u.data",
        separator="\t",
        has_header=False,
        new_columns=columns,
        infer_schema=False,
        glob=False,
    )
    items = read_u_item((folder / "u.item").read_text(encoding="latin-1"), str(folder / "u.item"))
    return MovieLens(interactions, items, f"MovieLens 100K from GroupLens; {_TERMS}")


def read_u_item(text: str, name: str) -> pl.DataFrame:
    """Return item_id, title and categories of a u.item.

    Raises `DataError` naming the line that has other than 24 fields.
    """
    rows = [line.split("|") for line in text.split("\n") if line]
    for number, row in enumerate(rows, start=1):
        if len(row) != 5 + len(_GENRES):
            raise DataError(
                f"{name}:{number}: has {len(row)} fields, {5 + len(_GENRES)} are needed; unpack "
                "it again"
            )
    labels = [
        [genre for genre, flag in zip(_GENRES, row[5:], strict=True) if flag.strip() == "1"]
        for row in rows
    ]
    return pl.DataFrame(
        {
            "item_id": [row[0] for row in rows],
            "title": [row[1] for row in rows],
            "categories": labels,
        },
        schema={"item_id": pl.String, "title": pl.String, "categories": pl.List(pl.String)},
    )

"""Feature matrices encoded from a prepared catalogue, each an artifact folder in ``features/``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from solidrec.arrays import Floats32
from solidrec.artifacts import Facts, read_manifest, read_parquet, write_manifest
from solidrec.data.data_manifest import read_data_manifest
from solidrec.data.npy import map_npy
from solidrec.disk import new_folder, write_file
from solidrec.errors import DamagedError, DataError, IncompatibleError, StorageError, UsageError

_KIND = "features"
FOLDER, CACHE = "features", ".cache"
_VECTORS = "vectors.npy"
FEATURE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class _EncodedFeature(NamedTuple):
    """A (V+1, F) matrix, zero in row 0 and for items without the feature, and its sha256."""

    vectors: Floats32
    digest: str


@final
class _FeatureFacts(Facts):
    """The facts of an encoded feature that its readers use."""

    data: str
    items: int
    width: int
    digest: str


def _read_manifest(folder: Path) -> dict[str, Any]:
    return read_manifest(folder, kind=_KIND, files=[_VECTORS], facts=_FeatureFacts)


def write_encoded(
    data: Path, name: str, vectors: Floats32, *, fingerprint: str, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Write (V, F) `vectors` as ``features/NAME`` of the folder `data` and return the manifest.

    The file has V + 1 rows, the first one zero. `fingerprint` is that of the data. An older feature
    of the name is replaced. Raises `StorageError` when the disk refuses.
    """
    with new_folder(data / FOLDER / name, replace=True) as folder:
        write_file(folder / _VECTORS, partial(_save_padded, vectors))
        stored = np.load(folder / _VECTORS, mmap_mode="r", allow_pickle=False)
        own = {
            "data": fingerprint,
            "items": len(vectors),
            "width": vectors.shape[1],
            "digest": _digest(stored),
        }
        return write_manifest(folder, kind=_KIND, files=[_VECTORS], facts={**facts, **own})


def _save_padded(vectors: Floats32, path: Path) -> None:
    """Write a matrix below a row of zeros, without a second copy of it in memory."""
    with path.open("wb") as stream:
        header = {
            "descr": "<f4",
            "fortran_order": False,
            "shape": (len(vectors) + 1, vectors.shape[1]),
        }
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(bytes(4 * vectors.shape[1]))
        np.ascontiguousarray(vectors, dtype="<f4").tofile(stream)


def open_catalog(data: Path) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return the manifest and the V catalogue rows of a prepared folder.

    The encoded features are not read, so their state does not matter. Raises as
    `artifacts.read_manifest` does.
    """
    manifest = read_data_manifest(data)
    return manifest, read_parquet(data / "items.parquet")


def check_name(name: str, manifest: Mapping[str, Any]) -> None:
    """Raise `UsageError` unless `name` can name an encoded feature of the data of `manifest`."""
    if not FEATURE_NAME.fullmatch(name) or name == "id":
        raise UsageError(
            f"feature name {name!r} must be letters, digits, - or _ (at most 64), and not 'id'; "
            "say --name NAME"
        )
    if name in manifest["features"]:
        raise UsageError(
            f"the data has a feature matrix {name!r} already, which was given to prepare; say "
            "--name NAME"
        )


def read_encoded(
    data: Path, *, fingerprint: str, items: int, taken: tuple[str, ...]
) -> dict[str, _EncodedFeature]:
    """Return every encoded feature of a prepared folder by name, after checking its bytes.

    Raises `DamagedError`, `IncompatibleError` for a matrix made for another catalogue, and
    `UsageError` for a name that is among those `taken`.
    """
    root = data / FOLDER
    folders = sorted(
        path for path in root.glob("*") if path.is_dir() and FEATURE_NAME.fullmatch(path.name)
    )
    return {
        path.name: _read(path, fingerprint=fingerprint, items=items, taken=taken)
        for path in folders
    }


def read_facts(data: Path, name: str) -> dict[str, Any]:
    """Return the manifest of an encoded feature without its files and versions."""
    manifest = _read_manifest(data / FOLDER / name)
    return {key: value for key, value in manifest.items() if key not in ("files", "versions")}


def _read(folder: Path, *, fingerprint: str, items: int, taken: tuple[str, ...]) -> _EncodedFeature:
    again = (
        "remove the folder, or make it again with "
        f"`solidrec encode {folder.parent.parent} --name {folder.name}`"
    )
    if folder.name in taken:
        raise UsageError(
            f"{folder}: the data has a feature matrix {folder.name!r} of its own; remove or "
            "rename the folder"
        )
    try:
        manifest = _read_manifest(folder)
        if manifest["data"] != fingerprint:
            made = (
                f"is of data {manifest['data'][:12]}, {folder.parent.parent} is {fingerprint[:12]}"
            )
            raise IncompatibleError(f"{folder}: {made}; {again}")
        vectors = map_npy(folder / _VECTORS)
        if vectors.shape != (items + 1, manifest["width"]) or vectors.dtype != np.float32:
            raise DamagedError(f"{folder / _VECTORS}: is {vectors.dtype} of shape {vectors.shape}")
        return _EncodedFeature(vectors, str(manifest["digest"]))
    except (DamagedError, DataError, StorageError) as error:
        raise DamagedError(f"{error}; {again}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"{folder}: is not as it was written ({error!r}); {again}") from error


def _digest(vectors: Floats32) -> str:
    """Return the sha256 of the shape, the type and the numbers of a matrix.

    >>> _digest(np.zeros((2, 3), dtype=np.float32)) == _digest(np.zeros((3, 2), dtype=np.float32))
    False
    """
    found = hashlib.sha256(f"{vectors.shape}{vectors.dtype}".encode())
    found.update(np.ascontiguousarray(vectors).data)
    return found.hexdigest()

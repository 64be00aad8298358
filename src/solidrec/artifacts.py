"""Artifacts on disk: folders of plain files that are listed and checked by a manifest.

A folder is an artifact when its ``manifest.json`` lists every file with its size and sha256. Files
are written under a temporary name, synced and renamed. The manifest comes last, so a killed process
leaves either the old artifact or none, never half of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from errno import ENOSPC
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from solidrec.disk import write_file
from solidrec.errors import DamagedError, IncompatibleError, StorageError
from solidrec.json_files import read_json, sealed, unsealed, write_json
from solidrec.provenance import versions

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

_FORMAT = 1
MANIFEST = "manifest.json"


class Facts(BaseModel):
    """The facts of a manifest that its readers use, with their types; a kind may have more."""

    model_config = ConfigDict(strict=True, extra="allow", protected_namespaces=())


def sha256(path: Path) -> str:
    """Return the sha256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Write a Parquet file as `write_file` does; errors of polars become `StorageError`."""
    from polars.exceptions import PolarsError

    write_file(path, lambda half: as_os_error(lambda: table.write_parquet(half), PolarsError))


def read_parquet(path: Path) -> pl.DataFrame:
    """Read a Parquet file of exactly this name: no pattern, no address, no ``~`` for home."""
    import polars as pl

    return pl.read_parquet(path.absolute(), glob=False)


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a safetensors file as `write_file` does; its errors become `StorageError`."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_file(
        path,
        lambda half: as_os_error(lambda: save_file(plain, half), SafetensorError),
        size=sum(tensor.nbytes for tensor in plain.values()),
    )


def as_os_error(write: Callable[[], object], kind: type[Exception]) -> None:
    """Call `write` and raise its exceptions of type `kind` as `OSError`."""
    try:
        write()
    except kind as error:
        text = str(error)
        full = (ENOSPC,) if "No space left" in text or "os error 28" in text else ()
        raise OSError(*full, text) from error


def write_manifest(
    folder: Path, *, kind: str, files: Iterable[str], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Write and return ``manifest.json`` with sizes and sha256 of `files`, versions and `facts`.

    The file is sealed (`json_files.sealed`); what is returned is not.
    """
    listed = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)}
        for name in sorted(files)
    }
    manifest = {"kind": kind, "format": _FORMAT, **facts, "versions": versions(), "files": listed}
    write_json(folder / MANIFEST, sealed(manifest))
    return manifest


_MAKERS = {"data": "solidrec prepare", "run": "solidrec train"}
"""The commands that write folders of each kind."""


def read_manifest(
    folder: Path, *, kind: str, files: Iterable[str] = (), facts: type[Facts] = Facts
) -> dict[str, Any]:
    """Return an artifact's manifest after checking its kind, its format and every listed file.

    It must list the `files` and have the `facts`. Raises `StorageError` if `folder` is not such an
    artifact, `IncompatibleError` for a newer format and `DamagedError` if a file is missing,
    truncated or changed, the manifest included.
    """
    made = f"; `{_MAKERS[kind]}` writes one" if kind in _MAKERS else ""
    path = folder / MANIFEST
    if not path.is_file():
        raise StorageError(
            f"{folder}: is not a {kind} folder of solidrec (it has no {MANIFEST}){made}"
        )
    manifest: dict[str, Any] = read_json(path)
    if not isinstance(manifest, dict) or manifest.get("kind") != kind:
        found = manifest.get("kind") if isinstance(manifest, dict) else None
        raise StorageError(
            f"{folder}: is a {found!r:.60} folder, a {kind!r} folder is needed{made}"
        )
    _check_format(folder, manifest)
    try:
        manifest = unsealed(manifest)
        facts.model_validate(manifest)
        _Files.model_validate(manifest)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _changed(path, f"{where[:60]}: {first['msg']}") from None
    except ValueError as error:
        raise _changed(path, str(error)) from None
    require(folder, manifest, files)
    for name, listed in manifest["files"].items():
        _check_file(folder / name, listed)
    return manifest


class _Listed(BaseModel):
    """The size and the sha256 of one file."""

    model_config = ConfigDict(strict=True)
    bytes: int
    sha256: str


class _Files(Facts):
    """What the manifest of every kind has."""

    versions: dict[str, str]
    files: dict[str, _Listed]


def _changed(path: Path, why: str) -> DamagedError:
    return DamagedError(f"{path}: is not as it was written ({why}); make the folder again")


def _check_format(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Raise `IncompatibleError` for a newer format, `DamagedError` if there is none."""
    found = manifest.get("format")
    if type(found) is not int:
        raise _changed(folder / MANIFEST, "its format is no number")
    if found > _FORMAT:
        named = manifest.get("versions")
        wrote = named.get("solidrec") if isinstance(named, dict) else None
        raise IncompatibleError(
            f"{folder}: written by solidrec {wrote!s:.20} (format {found}), this one reads format "
            f"{_FORMAT}; use that version"
        )


def require(folder: Path, manifest: Mapping[str, Any], files: Iterable[str]) -> None:
    """Raise `DamagedError` unless the manifest of `folder` lists `files`, and none outside it."""
    listed = manifest["files"]
    for name in files:
        if name not in listed:
            raise _changed(folder / MANIFEST, f"it does not list {name}")
    for name in listed:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise _changed(folder / MANIFEST, f"it lists {name!r:.60}, which is outside the folder")


def _check_file(path: Path, facts: Mapping[str, Any]) -> None:
    """Raise `DamagedError` unless a file has the size and sha256 in its manifest."""
    if not path.is_file():
        raise DamagedError(
            f"{path}: is missing though its manifest lists it; restore the folder or make it again"
        )
    size = path.stat().st_size
    if size != facts["bytes"]:
        raise DamagedError(
            f"{path}: is truncated or changed (file {size:,} B, manifest {facts['bytes']:,} B); "
            "make it again"
        )
    if sha256(path) != facts["sha256"]:
        raise DamagedError(
            f"{path}: its bytes changed since it was written (sha256 differs); make it again"
        )

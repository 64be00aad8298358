"""Artifacts on disk: folders of plain files that are listed and checked by a manifest.

A folder is an artifact when its ``manifest.json`` lists every file with its size and sha256. Files
are written under a temporary name, synced and renamed. The manifest comes last, so a killed process
leaves either the old artifact or none, never half of one.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solidrec.errors import DamagedError, IncompatibleError, StorageError
from solidrec.provenance import versions

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

_FORMAT = 1
AT_CWD, RENAME_EXCHANGE = -100, 2  # constants of renameat2(2)
MANIFEST = "manifest.json"


def sha256(path: Path) -> str:
    """Return the sha256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then sync it and rename it to `path`.

    Raises `StorageError` if that fails (disk full, read-only, not a folder).
    """
    temporary = path.parent / f".tmp-{os.getpid()}-{path.name}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot write ({error.strerror or error}); free space or choose another --out"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write `value` atomically as indented JSON, or raise `ValueError` for NaN and infinity."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def read_json(path: Path) -> Any:
    """Read a JSON file that `solidrec` wrote.

    Raises `StorageError` if it cannot be read and `DamagedError` if it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StorageError(f"{path}: no such file") from error
    except OSError as error:
        raise StorageError(f"{path}: cannot read ({error.strerror or error})") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DamagedError(
            f"{path}: is not valid JSON ({error}); the file is damaged, make it again"
        ) from error


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Write a Parquet file as `write_file` does; errors of polars become `StorageError`."""
    from polars.exceptions import PolarsError

    write_file(
        path, lambda temporary: as_os_error(lambda: table.write_parquet(temporary), PolarsError)
    )


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a safetensors file as `write_file` does; its errors become `StorageError`."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_file(
        path, lambda temporary: as_os_error(lambda: save_file(plain, temporary), SafetensorError)
    )


def as_os_error(write: Callable[[], object], kind: type[Exception]) -> None:
    """Call `write` and raise its exceptions of type `kind` as `OSError`."""
    try:
        write()
    except kind as error:
        raise OSError(str(error)) from error


def write_manifest(
    folder: Path, *, kind: str, files: Iterable[str], facts: dict[str, Any]
) -> dict[str, Any]:
    """Write and return ``manifest.json`` with sizes and sha256 of `files`, versions and `facts`."""
    listed = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)}
        for name in sorted(files)
    }
    manifest = {"kind": kind, "format": _FORMAT, **facts, "versions": versions(), "files": listed}
    write_json(folder / MANIFEST, manifest)
    return manifest


@contextmanager
def new_folder(final: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a temporary folder that is renamed to `final` if the block ends without an error.

    Raises `StorageError` if `final` exists, unless `replace` is set. If `final` is a link, the
    folder that it points to is replaced.
    """
    final = final.resolve() if final.is_symlink() else final
    if final.exists() and not final.is_dir():
        raise StorageError(f"{final}: is a file; choose another --out")
    if final.exists() and not replace:
        raise StorageError(f"{final}: exists already; remove it or choose another --out")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".tmp-{os.getpid()}-", dir=final.parent))
    except OSError as error:
        raise StorageError(
            f"{final}: cannot write ({error.strerror or error}); choose another --out"
        ) from error
    try:
        temporary.chmod(0o755)
        yield temporary
        if not final.exists():
            os.replace(temporary, final)
        elif not _exchange(temporary, final):
            retired = final.with_name(f".old-{os.getpid()}-{final.name}")
            os.replace(final, retired)
            os.replace(temporary, final)
            shutil.rmtree(retired)
    except OSError as error:
        raise StorageError(
            f"{final}: cannot write ({error.strerror or error}); free space or choose another --out"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two paths of one file system in one step, so that neither is ever missing.

    Returns False where that is not possible; only Linux has the call (renameat2, since 3.15).
    """
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    return bool(rename(AT_CWD, os.fsencode(one), AT_CWD, os.fsencode(other), RENAME_EXCHANGE) == 0)


_MAKERS = {"data": "solidrec prepare", "run": "solidrec train"}
"""The commands that write folders of each kind."""


def read_manifest(folder: Path, *, kind: str) -> dict[str, Any]:
    """Return an artifact's manifest after checking its kind, its format and every listed file.

    Raises `StorageError` if `folder` is not such an artifact, `IncompatibleError` for a newer
    format and `DamagedError` if a file is missing, truncated or changed.
    """
    made = f"; `{_MAKERS[kind]}` writes one" if kind in _MAKERS else ""
    if not (folder / MANIFEST).is_file():
        raise StorageError(
            f"{folder}: is not a {kind} folder of solidrec (it has no {MANIFEST}){made}"
        )
    manifest: dict[str, Any] = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("kind") != kind:
        found = manifest.get("kind") if isinstance(manifest, dict) else None
        raise StorageError(f"{folder}: is a {found!r} folder, a {kind!r} folder is needed{made}")
    try:
        if manifest["format"] > _FORMAT:
            wrote = manifest.get("versions", {}).get("solidrec")
            raise IncompatibleError(
                f"{folder}: written by solidrec {wrote} (format {manifest['format']}), this one "
                f"reads format {_FORMAT}"
            )
        for name, facts in manifest["files"].items():
            _check_file(folder / name, facts)
    except (AttributeError, KeyError, TypeError) as error:
        raise DamagedError(
            f"{folder / MANIFEST}: is not as it was written ({error}); make the folder again"
        ) from error
    return manifest


def _check_file(path: Path, facts: dict[str, Any]) -> None:
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

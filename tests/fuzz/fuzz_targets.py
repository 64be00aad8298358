"""Loaders that read files of strangers: whatever the bytes, the answer is a value or one line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from solidrec.artifacts import read_manifest
from solidrec.cli.settings_options import settings
from solidrec.data.catalog import Catalog
from solidrec.data.clean import Rules, clean
from solidrec.data.features import read_feature
from solidrec.data.readers import read_table
from solidrec.epochs import HISTORY, read_history
from solidrec.errors import SolidrecError
from solidrec.json_files import read_json
from solidrec.spec import RunSpec
from solidrec.weight_files import read_tensors

Target = Callable[[Path, bytes], object]
_CATALOG = Catalog(pl.DataFrame({"item": ["a", "b"]}), np.array([0, 1]), 2, None, {})


def _written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def manifest(folder: Path, content: bytes) -> object:
    """The manifest of a run folder."""
    _written(folder, "manifest.json", content)
    return read_manifest(folder, kind="run")


def spec(folder: Path, content: bytes) -> object:
    """The specification of a run."""
    return RunSpec.parse(read_json(_written(folder, "spec.json", content)))


def history(folder: Path, content: bytes) -> object:
    """The log of a run's epochs."""
    _written(folder, HISTORY, content)
    return read_history(folder)


def tensors(folder: Path, content: bytes) -> object:
    """Weights."""
    return read_tensors(_written(folder, "weights.safetensors", content))


def npy(folder: Path, content: bytes) -> object:
    """A feature matrix."""
    return read_feature(_written(folder, "f.npy", content), _CATALOG, name="f")


def jsonl(folder: Path, content: bytes) -> object:
    """A log of JSON lines."""
    return _log(_written(folder, "log.jsonl", content))


def csv(folder: Path, content: bytes) -> object:
    """A log of delimited text."""
    return _log(_written(folder, "log.csv", content))


def toml(folder: Path, content: bytes) -> object:
    """A file of settings."""
    return settings(_written(folder, "settings.toml", content), [])


def _log(path: Path) -> object:
    return clean(read_table(path), columns={}, rules=Rules(order="file"))


TARGETS: dict[str, Target] = {
    target.__name__: target for target in (manifest, spec, history, tensors, npy, jsonl, csv, toml)
}


def seeds() -> dict[str, list[bytes]]:
    """Return small valid files of each target, from which a fuzzer starts."""
    array = io.BytesIO()
    np.save(array, np.ones((2, 2), dtype=np.float32))
    facts = {"kind": "run", "format": 1, "versions": {"solidrec": "0.1.0"}, "files": {}}
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    row = {"stage": 1, "epoch": 1, "valid": {"UAUC": 0.5}, "best": True}
    return {
        "manifest": [json.dumps(facts).encode()],
        "spec": [b'{"data": "x", "seed": 1, "model": {"dim": 8, "backbone": {"name": "din"}}}'],
        "history": [json.dumps(row).encode() + b"\n"],
        "tensors": [len(header).to_bytes(8, "little") + header + b"\0\0\0\0"],
        "npy": [array.getvalue()],
        "jsonl": [b'{"user": "a", "item": "x", "timestamp": 1}\n{"user": "b", "item": "y"}\n'],
        "csv": [b'user,item,timestamp\na,x,1\n"b, c",y,2024-01-02\n'],
        "toml": [b'[model]\ndim = 8\nbackbone = "din"\n[train]\nepochs = 1\n'],
    }


def is_answered(target: Target, folder: Path, content: bytes) -> bool:
    """Return whether a target takes the content or refuses it in one line; else raise."""
    try:
        target(folder, content)
    except SolidrecError as error:
        text = str(error)
        assert "\n" not in text, text
        assert "allow_pickle=True" not in text, text
    return True

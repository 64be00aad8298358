"""Facts about the contents of a folder, as plain values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from solidrec.artifacts import MANIFEST
from solidrec.data.encoded import read_facts
from solidrec.data.prepared import PreparedData
from solidrec.errors import StorageError
from solidrec.evaluate.cost import parameters
from solidrec.json_files import read_json
from solidrec.runs import load_run


def facts_of(path: Path) -> dict[str, Any]:
    """Return the facts of a prepared folder or a run folder, after verifying its bytes.

    Raises `StorageError` when it is neither.
    """
    if not path.is_dir():
        raise StorageError(
            f"{path}: no such folder; give a folder of `solidrec prepare` or `solidrec train`"
        )
    manifest = read_json(path / MANIFEST) if (path / MANIFEST).is_file() else None
    if isinstance(manifest, dict) and manifest.get("kind") != "run":
        data = PreparedData.open(path)
        encoded = {name: read_facts(path, name) for name in data.encoded}
        return {
            **{
                key: value
                for key, value in data.manifest.items()
                if key not in ("files", "options")
            },
            "encoded": encoded,
        }
    run = load_run(path)
    return {
        **{key: value for key, value in run.manifest.items() if key != "files"},
        "parameters": parameters(run.model),
        "spec": run.spec.model_dump(mode="json"),
        "semantics": run.semantics.facts() if run.semantics else None,
        "epochs": len(run.history),
        "metrics": {split: entry["metrics"] for split, entry in run.metrics.items()},
    }

"""`train.compile` in its own process: the tests' shape checks are not for the compiler."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from solidrec.data.prepared import PreparedData


def losses(data: Path, out: Path, *, model: str, compiled: bool) -> list[float]:
    """The loss of each epoch, without dropout: a compiled model draws other random numbers."""
    command = [
        sys.executable,
        "-m",
        "solidrec.cli",
        "train",
        str(data),
        "--model",
        model,
        "--epochs",
        "2",
        "--out",
        str(out),
    ]
    settings = {
        "model.dim": 8,
        "model.history_length": 4,
        "model.dropout": 0,
        "train.batch_size": 200,
        "train.compile": compiled,
    }
    for key, value in settings.items():
        command += ["--set", f"{key}={json.dumps(value)}"]
    subprocess.run(command, check=True, capture_output=True)
    rows = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    return [row["loss"] for row in rows if row["loss"] is not None]


@pytest.mark.long
@pytest.mark.parametrize("model", ["static"])
def test_a_compiled_model_trains_to_the_same_losses(
    data: PreparedData, tmp_path: Path, model: str
) -> None:
    plain, compiled = (
        losses(data.path, tmp_path / str(choice), model=model, compiled=choice)
        for choice in (False, True)
    )
    assert len(plain) >= 2
    assert compiled == pytest.approx(plain, rel=1e-4)

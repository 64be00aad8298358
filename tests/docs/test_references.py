"""Every name in the documentation exists: files, classes, functions, settings, columns and keys."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from solidrec import prepare
from solidrec.data.columns import INTERACTIONS, ITEMS
from solidrec.data.readers import READERS

REFERENCE = re.compile(r"`([\w/]+\.py)(?::([\w.]+))?`")


def names(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """The classes, functions, methods, fields and constants that a module defines."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from names(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))


def missing(text: str, repository: Path) -> list[str]:
    """The broken references of a text; a path is under src/solidrec or the repository itself."""
    found = []
    for path, name in REFERENCE.findall(text):
        file = next(
            (
                root / path
                for root in (repository / "src" / "solidrec", repository)
                if (root / path).is_file()
            ),
            None,
        )
        if file is None or (
            name and name not in names(ast.parse(file.read_text(encoding="utf-8")).body)
        ):
            found.append(f"{path}:{name}")
    return found


def test_every_name_exists(pages: list[Path], repository: Path) -> None:
    found = {page.name: missing(page.read_text(encoding="utf-8"), repository) for page in pages}
    assert {page: lost for page, lost in found.items() if lost} == {}


@pytest.mark.parametrize(
    "text", ["`nn/nothing.py`", "`nn/heads.py:NoHead`", "`nn/heads.py:FullHead.backward`"]
)
def test_a_lost_name_is_found(text: str, repository: Path) -> None:
    assert len(missing(text, repository)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "`nn/heads.py`",
        "`nn/heads.py:FullHead.forward`",
        "`spec.py:TrainSpec.patience`",
        "`training/loop.py:_LOOK_EVERY`",
    ],
)
def test_a_true_name_passes(text: str, repository: Path) -> None:
    assert REFERENCE.search(text)
    assert missing(text, repository) == []


def test_paper_maps_every_equation_and_table(repository: Path) -> None:
    text = (repository / "docs" / "paper.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (Eq|Table)\.? ([\d-]+) \|", text, re.MULTILINE)
    numbers = {
        (kind, n)
        for kind, span in rows
        for n in range(int(span.split("-")[0]), int(span.split("-")[-1]) + 1)
    }
    assert numbers == {("Eq", n) for n in range(4, 14)} | {("Table", n) for n in range(1, 8)}
    section = text.partition("## Where the released code differs")[2].partition("###")[0]
    assert re.findall(r"^(\d)\. \*\*", section, re.MULTILINE) == list("12345678")


def test_data_page_lists_what_the_readers_know(repository: Path) -> None:
    text = (repository / "docs" / "data.md").read_text(encoding="utf-8")
    known = {
        *READERS,
        *(
            name
            for columns in (INTERACTIONS, ITEMS)
            for names in columns.values()
            for name in names
        ),
    }
    assert {name for name in known if f"`{name}`" not in text} == set()


def test_data_page_lists_the_manifest_and_the_files(repository: Path, shop: Path) -> None:
    text = (repository / "docs" / "data.md").read_text(encoding="utf-8")
    manifest = prepare("clicks.csv", items="items.csv", out="data").manifest
    table = text.partition("Keys of `manifest.json`")[2]
    listed = [
        name
        for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    ]
    assert sorted(listed) == sorted(manifest)
    files = {name.replace("test_", "valid_") for name in manifest["files"]}
    assert {name for name in files if f"`{name}`" not in text} == set()

"""docs/data.md on text, pictures and semantic ids: commands run, facts are those of the source."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.data.prepared import PreparedData
from solidrec.report.semantic_map.data import DOTS
from solidrec.report.semantic_map.pictures import _BUDGET, EACH
from solidrec.report.semantic_map.projection import _DIMENSIONS, AT_MOST
from solidrec.semantics.modalities.onnx_file import _EXAMPLE, OnnxSettings

Blocks = Callable[[Path, str], list[str]]


@pytest.fixture(scope="module")
def page(repository: Path) -> Path:
    return repository / "docs" / "data.md"


def test_the_commands_run(
    page: Path,
    blocks: Blocks,
    solidrec: Callable[..., Any],
    data: PreparedData,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from PIL import Image

    shutil.copytree(data.path, tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    Image.effect_noise((40, 60), 90).save("poster.png")
    with zipfile.ZipFile("posters.zip", "w") as archive:
        archive.write("poster.png", f"{data.catalog['item'][0]}.png")
    commands = [
        line
        for block in blocks(page, "sh")
        for line in block.splitlines()
        if line.startswith("solidrec encode")
    ]
    assert len(commands) == 2
    assert [solidrec(*command.split()[1:]).code for command in commands] == [0, 0]
    assert PreparedData.open("data").encoded.keys() == {"text", "image"}


def test_the_semantics_can_be_looked_at(
    page: Path,
    blocks: Blocks,
    solidrec: Callable[..., Any],
    data: PreparedData,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(data.path, tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    commands = [
        line
        for block in blocks(page, "sh")
        for line in block.splitlines()
        if line.startswith("solidrec semantics")
    ]
    assert len(commands) == 2
    assert [solidrec(*command.split()[1:]).code for command in commands] == [0, 0]
    assert (tmp_path / "map.html").is_file()
    section = (
        page.read_text(encoding="utf-8")
        .partition("## Looking at semantic ids")[2]
        .partition("\n## ")[0]
    )
    for fact in (
        f"{AT_MOST:,} items",
        f"to {_DIMENSIONS} dimensions",
        f"{EACH} an id",
        f"{_BUDGET // 1_000_000} MB in all",
        f"more than {DOTS:,}",
    ):
        assert fact in section


def test_the_settings_of_a_network_are_valid(page: Path, blocks: Blocks) -> None:
    (example,) = blocks(page, "json")
    OnnxSettings.model_validate(json.loads(example))
    OnnxSettings.model_validate(json.loads(_EXAMPLE))
    section = (
        page.read_text(encoding="utf-8")
        .partition("| key | meaning, and default |")[2]
        .partition("\n\n")[0]
    )
    assert set(
        re.findall(r"`(\w+)`", "".join(re.findall(r"^\|[^|]*\|", section, re.MULTILINE)))
    ) == set(OnnxSettings.model_fields)


def test_every_reason_is_explained(page: Path, repository: Path) -> None:
    section = (
        page.read_text(encoding="utf-8").partition("| reason | meaning |")[2].partition("\n\n")[0]
    )
    explained = set(
        re.findall(r"`(\w+)`", "".join(re.findall(r"^\|[^|]*\|", section, re.MULTILINE)))
    )
    package = repository / "src" / "solidrec" / "semantics" / "modalities"
    source = "".join(path.read_text(encoding="utf-8") for path in package.glob("*.py"))
    given = set(re.findall(r"(?:Refusal|PictureError)\(\"(\w+)\"", source)) | {
        "timeout",
        "decoder_died",
        "capped",
    }
    assert explained == given

"""docs/settings.md is what the specifications say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from solidrec.backbone_spec import TransformerSpec
from solidrec.data.prepare_spec import PrepareSpec
from solidrec.spec import CodebookSpec, ModelSpec, RunSpec, SemanticsSpec, TrainSpec

KEYS = (
    *(f"model.{name}" for name in ModelSpec.model_fields if name not in ("backbone", "codebook")),
    *(f"model.backbone.{name}" for name in TransformerSpec.model_fields),
    *(f"model.codebook.{name}" for name in CodebookSpec.model_fields),
    *(f"train.{name}" for name in TrainSpec.model_fields),
    *(f"semantics.{name}" for name in SemanticsSpec.model_fields),
    *(name for name in RunSpec.model_fields if name not in ("model", "train", "semantics")),
    *PrepareSpec.model_fields,
)


def test_the_page_is_up_to_date(repository: Path, generated: Callable[[str], str]) -> None:
    page = (repository / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == generated("settings"), "run `make docs`"


def test_every_setting_has_a_line_with_its_default_and_a_meaning(repository: Path) -> None:
    page = (repository / "docs" / "settings.md").read_text(encoding="utf-8")
    lines = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    assert [line[0].strip("`") for line in lines] == list(KEYS)
    assert all(len(line) == 4 and line[3] for line in lines)
    assert ["`train.patience`", "integer ≥ 1", "`5`"] in [line[:3] for line in lines]

"""docs/datasets.md lists what the registry holds."""

from __future__ import annotations

import re
from pathlib import Path

from solidrec.data.datasets.known import DATASETS, FORMATS


def test_every_set_is_listed_with_its_counts(repository: Path) -> None:
    text = (repository / "docs" / "datasets.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|", text, re.MULTILINE)
    listed = {
        name: tuple(int(count.replace(",", "")) for count in counts) for name, *counts in rows
    }
    assert listed == {name: tuple(entry.counts) for name, entry in DATASETS.items()}


def test_every_format_is_listed_with_its_files(repository: Path) -> None:
    table = (
        (repository / "docs" / "datasets.md")
        .read_text(encoding="utf-8")
        .partition("## Which files")[2]
    )
    assert set(
        re.findall(r"^\| `([\w-]+)` \|", table.partition("## Which counts")[0], re.MULTILINE)
    ) == set(FORMATS)
    shown = {kind.shown.removesuffix(".gz") for entry in FORMATS.values() for kind in entry.files}
    assert {
        name for name in shown if name.replace("<domain>reviews", "bookreviews") not in table
    } == set()

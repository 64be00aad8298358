from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from solidrec.report.material import Material
from solidrec.report.stability import stability


def test_every_row_has_a_box_and_the_tables_follow(of: Material) -> None:
    text = stability(of)
    assert text.count("<svg") == 2
    assert text.count("<table") == 4  # two variances, the comparisons, the perturbations
    assert "steadiness of UAUC" in text


def test_without_the_users_files_the_tables_stay(
    copied: Path, read_material: Callable[[Path], Material]
) -> None:
    for path in (copied / "users").glob("*-stability.parquet"):
        path.unlink()
    text = stability(read_material(copied))
    assert "<svg" not in text
    assert text.count("<table") == 3

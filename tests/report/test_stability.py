from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from solidrec.report.material import Material
from solidrec.report.stability import stability


def test_every_row_has_a_box_and_the_tables_follow(of: Material) -> None:
    found = stability(of)
    assert len(found.charts[0].drawn) == 2
    (tables,) = found.tables
    assert len(tables.grids) == 4  # two variances, the comparisons, the perturbations
    assert "steadiness of UAUC" in str(tables.grids)


def test_without_the_users_files_the_tables_stay(
    copied: Path, read_material: Callable[[Path], Material]
) -> None:
    for path in (copied / "users").glob("*-stability.parquet"):
        path.unlink()
    found = stability(read_material(copied))
    assert not found.charts
    assert len(found.tables[0].grids) == 3

"""Find items by what their title or id says."""

from __future__ import annotations

from typing import Any

import polars as pl

from solidrec.recommend.engine import Engine


def found_items(engine: Engine, text: str, k: int = 10) -> list[dict[str, Any]]:
    """Return at most `k` items whose title or id holds a text, in any case, the popular first.

    Items that are not shown are left out. An empty text finds the most popular items.
    """
    catalog, wanted = engine.run.catalog, text.strip().lower()
    holds = pl.col("item").str.to_lowercase().str.contains(wanted, literal=True)
    if "title" in catalog.columns:
        titles = pl.col("title").str.to_lowercase().str.contains(wanted, literal=True)
        holds = holds | titles.fill_null(False)
    rows = catalog.with_row_index("row").filter(holds)
    if (shown := engine.attributes.shown) is not None:
        rows = rows.filter(pl.Series(shown).gather(rows["row"]))
    best = rows.sort("training_count", descending=True, maintain_order=True)["row"].head(k)
    ids = engine.run.items.ids
    return [{"item": ids[row], "title": engine.titles[row]} for row in best.to_list()]

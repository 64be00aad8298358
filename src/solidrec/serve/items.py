"""Items that nobody has clicked yet join a trained run, without training."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor

from solidrec.data.catalog import feature_source, read_catalog, read_feature
from solidrec.data.columns import ITEMS, find_columns, id_column
from solidrec.data.readers import Table
from solidrec.errors import UsageError
from solidrec.nn.build import build
from solidrec.runs import Run, copy_run
from solidrec.semantics.cold import place

Given = Mapping[str, Path | str | npt.NDArray[Any]]


def add_items(
    run: Run, table: Table, *, features: Given | None = None, columns: Mapping[str, str | None] | None = None,
    category_separator: str | None = None, feature_start: int | None = None,
) -> Run:  # fmt: skip
    """Return the run with the items of `table` that it does not know at the end of its vocabulary.

    Each gets an embedding and semantic ids from its content: title, categories and token columns of the table, and
    `features`, matrices whose rows the table numbers, as in `prepare`. Raises `UsageError` if the run keeps no content map
    or every item is known already, and `DataError` as `prepare` does.
    """
    if run.cold is None:
        raise UsageError(
            f"{run.path}: keeps no map from content: its data had no titles, categories or features, or an older"
            " version trained it; train it again on data that has"
        )
    columns = dict(columns or {})
    names = find_columns(table, ITEMS, columns, required=("items_id",))
    listed = table.collect(id_column(table, names["items_id"], "item"))["item"].drop_nulls().unique(maintain_order=True)
    new = listed.filter(~listed.is_in(run.catalog["item"].implode()))
    if not len(new):
        raise UsageError(f"{table.name}: the run knows all of its {len(listed):,} items already; nothing was changed")
    catalog = read_catalog(table, new, columns=columns, category_separator=category_separator)
    unknown = sorted(set(features or {}) - {part.name for part in run.cold.content.parts if part.terms is None})
    if unknown:
        wanted = ", ".join(part.name for part in run.cold.content.parts if part.terms is None) or "none"
        raise UsageError(f"feature {unknown[0]!r}: the run was trained without it (it reads {wanted})")
    given = {}
    for name, source in (features or {}).items():
        matrix, numbered = feature_source(source, table, catalog)
        given[name] = read_feature(matrix, numbered, name=name, start=feature_start)[0][1:]
    matrices = run.cold.content.matrices(catalog.frame, given)
    rows = catalog.frame.select(name for name in run.catalog.columns if name in catalog.frame.columns)
    grown = pl.concat([run.catalog, rows.with_columns(training_count=pl.lit(0, pl.Int64))], how="diagonal_relaxed")
    semantics = run.semantics
    if semantics is not None:
        codes = place(semantics, matrices, catalog.frame["categories"].to_list())
        semantics = dataclasses.replace(semantics, codes=np.concatenate([semantics.codes, codes]))
    model = build(
        run.spec.model, items=len(grown), semantic_of_item=None if semantics is None else torch.from_numpy(semantics.table)
    )
    model.load_state_dict(longer(run.model.state_dict(), model.state_dict(), torch.from_numpy(run.cold.embed(matrices))))
    device = run.model.items.weight.device
    return dataclasses.replace(run, model=model.to(device).eval(), catalog=grown, semantics=semantics)


def longer(old: Mapping[str, Tensor], new: Mapping[str, Tensor], embeddings: Tensor) -> dict[str, Tensor]:
    """Return the weights of the old model with the embeddings of new items below its table; ids of `new` are its own."""
    table = torch.cat([old["items.weight"].cpu(), embeddings])
    grown = {"items.weight": table} | {name: tensor for name, tensor in new.items() if name.endswith("semantic_of_item")}
    return {name: grown.get(name, tensor) for name, tensor in old.items()}


def save_with_items(run: Run, before: Run, out: Path) -> dict[str, Any]:
    """Write a run that `add_items` made of `before` to `out`, by one rename, and return the facts of what was added."""
    added = len(run.catalog) - len(before.catalog)
    copy_run(run, out, facts={"added_items": added + before.manifest.get("added_items", 0)})
    return {"run": str(out), "added": added, "items": len(run.catalog)}

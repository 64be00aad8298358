"""Add items without interactions to a trained run, without training."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor

from solidrec.data.attributes import joined_attributes
from solidrec.data.catalog import Catalog, read_catalog
from solidrec.data.columns import ITEMS, find_columns, id_column
from solidrec.data.features import check_given, feature_source, read_feature
from solidrec.data.table import Table
from solidrec.errors import DataError, UsageError
from solidrec.experts.alike import alike, described
from solidrec.experts.counted import memory
from solidrec.nn.build import build, build_mixture
from solidrec.nn.memory import Memory
from solidrec.nn.mixture import Counted, Experts, Mixture, is_counted
from solidrec.nn.recommender import Recommender
from solidrec.nn.semantic_memory import SemanticMemory
from solidrec.runs import Run, copy_run
from solidrec.semantics.content import ItemContent
from solidrec.semantics.place import place

_Given = Mapping[str, Path | str | npt.NDArray[Any]]


@final
@dataclass(frozen=True)
class _Added:
    """A grown run.

    ``content`` counts the new items known in each modality; ``missing`` names the matrices that
    were not given.
    """

    run: Run
    content: dict[str, int]
    missing: tuple[str, ...]


def add_items(
    run: Run,
    table: Table,
    *,
    features: _Given | None = None,
    columns: Mapping[str, str | None] | None = None,
    category_separator: str | None = None,
    feature_start: int | None = None,
    duplicate_items: Literal["error", "first"] = "error",
) -> _Added:
    """Return the run with the items of `table` that it does not know appended to its vocabulary.

    Each new item gets an embedding and semantic ids from its content: title, categories and token
    columns of the table, and `features`, matrices whose rows the table numbers, as in `prepare`.
    Raises `UsageError` if the run keeps no content map or knows every item already, and `DataError`
    as `prepare` does.
    """
    if run.cold is None:
        raise UsageError(
            f"{run.path}: keeps no map from content: its data had no titles, categories or "
            "features, or an older version trained it; train it again on data that has"
        )
    features = {} if features is None else features
    check_given(features)
    catalog = _new_rows(run, table, dict(columns or {}), category_separator, duplicate_items)
    content = run.cold.content
    given = _given_matrices(content, table, catalog, features, feature_start)
    matrices = content.matrices(catalog.frame, given)
    known = {name: int(matrix.any(axis=1).sum()) for name, matrix in matrices.items()}
    absent = tuple(name for name in _feature_names(content) if name not in features)
    return _Added(grown(run, catalog.frame, catalog.attributes, matrices), known, absent)


def grown(
    run: Run,
    rows: pl.DataFrame,
    attributes: pl.DataFrame | None,
    matrices: Mapping[str, npt.NDArray[Any]],
) -> Run:
    """Return the run with new items behind its own: their catalogue `rows`, and their content.

    Their embeddings and semantic ids come from the `matrices` of `ItemContent.matrices`; a run
    without a map from content gives them the mean embedding.
    """
    semantics = run.semantics
    if semantics is not None:
        codes = place(semantics, matrices, rows["categories"].to_list())
        semantics = dataclasses.replace(semantics, codes=np.concatenate([semantics.codes, codes]))
    shared = [name for name in run.catalog.columns if name in rows.columns]
    new = rows.select(shared).with_columns(training_count=pl.lit(0, pl.Int64))
    catalog = pl.concat([run.catalog, new], how="diagonal_relaxed")
    ids = None if semantics is None else torch.from_numpy(semantics.table)
    model: Recommender | Mixture
    if isinstance(run.model, Mixture):
        counted = recounted(run.model.experts, catalog, ids)
        model = build_mixture(run.spec.model, counted, semantic_of_item=ids)
    else:
        model = build(run.spec.model, items=len(catalog), semantic_of_item=ids)
    embeddings = _embeddings(run, matrices, len(rows))
    model.load_state_dict(_longer(run.model.state_dict(), model.state_dict(), embeddings))
    return dataclasses.replace(
        run,
        model=model.to(run.model.items.weight.device).eval(),
        catalog=catalog,
        semantics=semantics,
        attributes=joined_attributes(run.attributes, attributes, len(rows)),
    )


def _embeddings(run: Run, matrices: Mapping[str, npt.NDArray[Any]], count: int) -> Tensor:
    """Return (count, D) embeddings of new items, the mean of the known ones without a map."""
    if run.cold is not None:
        return torch.from_numpy(run.cold.embed(matrices))
    seen = torch.from_numpy(run.catalog["training_count"].to_numpy() > 0)
    return run.model.items.weight.detach().cpu()[1:][seen].mean(0).expand(count, -1)


def _feature_names(content: ItemContent) -> list[str]:
    """Return the names of the feature matrices that training had."""
    return [part.name for part in content.parts if part.terms is None]


def _new_rows(
    run: Run,
    table: Table,
    columns: Mapping[str, str | None],
    separator: str | None,
    duplicates: Literal["error", "first"],
) -> Catalog:
    """Return the catalogue rows of the items that the run does not know."""
    names = find_columns(table, ITEMS, columns, required=("items_id",))
    listed = table.collect(id_column(table, names["items_id"], "item"))["item"]
    if not len(listed):
        raise DataError(f"{table.name}: has no rows; give one row an item")
    listed = listed.drop_nulls().unique(maintain_order=True)
    new = listed.filter(~listed.is_in(run.catalog["item"].implode()))
    # a table whose rows all lack an id is left to `read_catalog`, which names them
    if len(listed) and not len(new):
        raise UsageError(
            f"{table.name}: the run knows all of its {len(listed):,} items already; nothing was "
            "changed"
        )
    return read_catalog(
        table, new, columns=columns, category_separator=separator, duplicate_items=duplicates
    )


def _given_matrices(
    content: ItemContent, table: Table, catalog: Catalog, features: _Given, start: int | None
) -> dict[str, np.ndarray]:
    """Return the given feature matrices of new items, one row each.

    Raises `UsageError` for a feature that training did not have.
    """
    wanted = _feature_names(content)
    for name in features:
        if name not in wanted:
            raise UsageError(
                f"feature {name!r}: the run was trained without it (it reads "
                f"{', '.join(wanted) or 'none'})"
            )
    found = {}
    for name, source in features.items():
        matrix, numbered = feature_source(source, table, catalog)
        found[name] = read_feature(matrix, numbered, name=name, start=start)[0][1:]
    return found


def recounted(experts: Experts, grown: pl.DataFrame, ids: Tensor | None) -> Counted:
    """Return the memories and counts of a mixture for the longer catalogue `grown`.

    The log says nothing about new items. They get the count of the median item, so that being new
    does not count against them. Content similarity is computed anew for all items, unless it rests
    on feature matrices: a run does not keep these, so new items then have none.
    """
    moved, before, semantic = experts.memories
    assert isinstance(moved, Memory)
    assert isinstance(before, Memory)
    assert isinstance(semantic, SemanticMemory)
    new = len(grown) + 1 - len(experts.counts)
    by_content = _lengthened(before, new)
    if any(described(grown[:-new])):
        by_content = memory([alike(grown, {})], before.decay)
    if ids is None:
        # The new rows repeat the one id that all items share.
        of_item = semantic.semantic_of_item.cpu()
        ids = torch.cat([of_item, of_item[-1:].expand(new, *of_item.shape[1:])])
    by_semantics = SemanticMemory(ids, semantic.ratio.cpu(), semantic.decay)
    memories = (_lengthened(moved, new), by_content, by_semantics)
    recent = None if experts.recent is None else _with_medians(experts.recent.cpu(), new)
    return Counted(memories, _with_medians(experts.counts.cpu(), new), recent)


def _with_medians(counts: Tensor, new: int) -> Tensor:
    """Return item counts with `new` more that equal the median."""
    return torch.cat([counts, counts[1:].median().expand(new)])


def _lengthened(memory: Memory, new: int) -> Memory:
    """Return a memory with `new` empty rows at its end."""
    starts = torch.cat([memory.starts, memory.starts[-1:].expand(new)]).cpu()
    return Memory(starts, memory.columns, memory.values, memory.decay)


def _longer(
    old: Mapping[str, Tensor], new: Mapping[str, Tensor], embeddings: Tensor
) -> dict[str, Tensor]:
    """Return the old weights with new items' embeddings appended; counts are taken from `new`."""
    found = dict(old)
    for name, tensor in old.items():
        if name == "items.weight" or name.endswith("neural.items.weight"):
            found[name] = torch.cat([tensor.cpu(), embeddings])
        elif is_counted(name):
            found[name] = new[name]
    return found


def save_with_items(added: _Added, before: Run, out: Path) -> dict[str, Any]:
    """Write the run that `add_items` made of `before` to `out`, by one rename; return its facts.

    ``explained`` is the share of the embeddings that content explains (r2); near 0, content says
    little about new items.
    """
    count = len(added.run.catalog) - len(before.catalog)
    copy_run(added.run, out, facts={"added_items": count + before.manifest.get("added_items", 0)})
    assert added.run.cold is not None
    return {
        "run": str(out),
        "added": count,
        "items": len(added.run.catalog),
        "content": added.content,
        "missing_features": list(added.missing),
        "explained": added.run.cold.facts["r2"],
    }

"""The map of a catalogue by its semantic ids: one HTML file to look at, search and print.

The script sets what comes from data as text. The page loads nothing, and a policy in it forbids
that. The same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from solidrec.console import console, counted
from solidrec.data.prepared import PreparedData
from solidrec.disk import write_file
from solidrec.errors import UsageError
from solidrec.outputs import check_output
from solidrec.report.page import render
from solidrec.report.semantic_map.data import colors_of, page_data, spots
from solidrec.report.semantic_map.groups import groups_of
from solidrec.report.semantic_map.page import directory, headline, lead, numbers, picture, plural
from solidrec.report.semantic_map.pictures import EACH, thumbnails
from solidrec.report.semantic_map.projection import AT_MOST, places
from solidrec.semantics.fuse import Fused, fuse
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.modality import CATEGORIES, terms
from solidrec.semantics.terms import fit_terms

_QUALITY = "How they were made, and how good they are"


def write_map(
    path: Path,
    *,
    data: PreparedData,
    ids: SemanticIds,
    matrices: Mapping[str, np.ndarray],
    quality: Mapping[str, Any],
    images: Path | None = None,
    at_most: int = AT_MOST,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Write the map of `data` by `ids` to `path`.

    `matrices` are the modalities of the ids (`describe.matrices_of`) and `quality` their numbers
    (`describe.quality_of`). `images` is a folder or zip of pictures, named as for `solidrec
    encode`. At most `at_most` items go into t-SNE.

    Raises `UsageError` for ids that have no modalities (method random), `StorageError` when the
    disk refuses or `images` is missing, and `DataError` if `images` is not a zip.
    """
    check_output(path, suffix=".html")
    if not ids.modalities:
        raise UsageError(
            f"semantic ids by method {ids.method} have no content to be placed by: "
            "say method kmeans or categories"
        )
    fused = fuse([matrices[name] for name in ids.modalities], ids.weights or None)
    say(
        f"map: placing {int(fused.present.any(axis=1).sum()):,} items; "
        "t-SNE takes up to half a minute"
    )
    placed = places(
        _ground(data, ids, matrices),
        ids.of_item[1:],
        data.train_counts[1:],
        at_most=at_most,
        seed=ids.seed,
    )
    groups = groups_of(data, ids, fused, matrices)
    where = spots(groups, placed)
    tones = colors_of(where)
    pictures: dict[int, str] = {}
    if images is not None:
        with counted(console, "pictures", EACH * len(groups), shown=True) as step:
            pictures = thumbnails(data, groups, images, step=step)
        say(f"map: {plural(len(pictures), 'picture')} of the most central items")
    text = render(
        "semantic_map.html",
        title=f"Semantic ids of {data.path.resolve().name}",
        headline=headline(ids, groups),
        lead=[lead(placed)],
        notes=[],
        sections=[
            ("map", "The catalogue", picture(placed, ids)),
            ("numbers", _QUALITY, numbers(data, ids, groups, quality)),
            ("ids", "Every semantic id", directory(data, groups, tones, pictures)),
        ],
        items=page_data(data, groups, placed, where, tones),
    )
    write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))
    say(f"wrote {path} ({len(text.encode()) / 1e6:.1f} MB)")


def _ground(data: PreparedData, ids: SemanticIds, matrices: Mapping[str, np.ndarray]) -> Fused:
    """Return the vectors that decide the places of items.

    They are the modalities of the ids, with the categories if the ids are categories.
    """
    parts = [matrices[name] for name in ids.modalities]
    weights = list(ids.weights or (1.0,) * len(parts))
    if ids.method == CATEGORIES:
        parts.append(fit_terms(terms(data.catalog, CATEGORIES, placed=False), seed=ids.seed)[1])
        weights.append(1.0)
    return fuse(parts, weights)

"""The semantic ids in an experiment's report: their sizes, and some of their members by title."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Floats
from solidrec.data.prepared import PreparedData
from solidrec.report.material import Material
from solidrec.report.plots import histogram
from solidrec.report.section import Card, Charts, Drawn, Section
from solidrec.semantics.fuse import fuse
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.modality import ID, modality

HOW = {"categories": "Of each item's own categories the nearest one,", "kmeans": "k-means"}
_SHOWN = 8
_SMALLEST = 4  # two or three items are coherent too easily


def semantics_of(of: Material) -> Section:
    """Return the contents of the first model's semantic ids; empty without data or such a model."""
    semantics = next((run.semantics for run in of.runs.values() if run.semantics is not None), None)
    if of.data is None or semantics is None:
        return Section()
    return _semantic_ids(of.data, semantics)


def _semantic_ids(data: PreparedData, semantics: SemanticIds) -> Section:
    """Return the sizes of semantic ids, and some of them by title."""
    facts = semantics.facts()
    empty = f"{facts['empty']:,} are empty" if facts["empty"] else "none is empty"
    words = (
        f"{HOW.get(semantics.method, semantics.method)} over {' and '.join(semantics.modalities)} "
        f"({semantics.reason}): {facts['count']:,} ids for {facts['items']:,} items. The largest "
        f"holds {facts['largest']:,}, {empty}; the spread is {facts['entropy_share']:.0%} of an "
        "even one (entropy)."
    )
    sizes = _sizes_of(semantics)
    groups = [_group(data, semantics, *example) for example in _examples(data, semantics)]
    note = f"Up to {_SHOWN} members each, those most frequent in training first."
    drawn = sizes_figure(sizes[sizes > 0].tolist())
    return Section(words, charts=[Charts(drawn)], cards=[("", groups)], notes=[note])


def sizes_figure(sizes: Sequence[int]) -> Drawn:
    """Return a chart of the sizes of semantic ids."""
    drawn = histogram(
        sizes,
        label="Sizes of the semantic ids",
        x_label="items in a semantic id",
        y_label="semantic ids",
    )
    return [("How many items a semantic id holds", drawn)]


def _sizes_of(semantics: SemanticIds) -> npt.NDArray[np.int64]:
    """Return the number of items of each semantic id, (S,)."""
    return np.bincount(semantics.of_item[1:], minlength=semantics.count + 1)[1:]


def _examples(data: PreparedData, semantics: SemanticIds) -> list[tuple[str, int]]:
    """Return (reason, semantic id) of the largest, the median and the most coherent one."""
    sizes = _sizes_of(semantics)
    order = [
        int(number) for number in np.argsort(-sizes, kind="stable") + 1 if sizes[number - 1] > 0
    ]
    reasons = {order[0]: ["the largest"]}
    reasons.setdefault(order[len(order) // 2], []).append("the median size")
    close = _coherence(data, semantics)
    if not np.isnan(close).all():
        best = int(np.nanargmax(close))
        reasons.setdefault(best + 1, []).append(
            f"the most coherent of {_SMALLEST} or more items, mean cosine {close[best]:.2f}"
        )
    return [(" and ".join(why).capitalize(), number) for number, why in reasons.items()]


def _coherence(data: PreparedData, semantics: SemanticIds) -> Floats:
    """Return the mean cosine between members (S,), NaN for fewer than `_SMALLEST` members.

    The vectors are the content that the ids were made of. Id embeddings are not stored, so
    semantic ids made of them alone are all NaN.
    """
    nothing = np.full(semantics.count, np.nan)
    content = [
        modality(data, name, _no_vectors, seed=semantics.seed)
        for name in semantics.modalities
        if name != ID
    ]
    if not content:
        return nothing
    vectors = fuse(content).vectors.astype(np.float64)
    # Of unit vectors, the squared length of their sum is their number plus the sum of the cosines
    # of all ordered pairs.
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    sums = np.zeros((semantics.count, vectors.shape[1]))
    np.add.at(sums, semantics.of_item[1:] - 1, vectors)
    # `own` is what each vector adds to it by itself: 1, or 0 for an item without content.
    own = np.bincount(semantics.of_item[1:] - 1, (vectors**2).sum(1), semantics.count)
    sizes = _sizes_of(semantics)
    enough = sizes >= _SMALLEST
    nothing[enough] = ((sums**2).sum(1) - own)[enough] / (sizes * (sizes - 1))[enough]
    return nothing


def _no_vectors() -> npt.NDArray[Any]:
    raise AssertionError("id embeddings are never asked for here")


def _group(data: PreparedData, semantics: SemanticIds, why: str, number: int) -> Card:
    """Return one semantic id with its most frequent members."""
    members = semantics.members(number)
    order = members[np.argsort(-data.train_counts[members], kind="stable")]
    label = f" “{semantics.labels[number - 1]}”" if semantics.labels else ""
    titles = [title_of(data, int(item)) for item in order[:_SHOWN]]
    facts = f"{why} · {len(members):,} items"
    return Card(f"Semantic id {number}{label}", facts, titles, len(order) - _SHOWN)


def title_of(data: PreparedData, item: int) -> str:
    """Return an item's title, or its id if it has none."""
    title = data.catalog["title"][item - 1] if "title" in data.catalog.columns else None
    return title or data.items.id(item)

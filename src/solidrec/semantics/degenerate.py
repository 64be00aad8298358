"""Semantic ids that tell hardly any items apart, and what to do about them."""

from __future__ import annotations

from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.kmeans import cluster_count

_COARSE = 25
"""How many times fewer ids than the default number of clusters are too few."""


def complaint(ids: SemanticIds, asked: int | None) -> str | None:
    """Return a line on semantic ids that are too few or too uneven to say much, or None.

    Too few are a 25th of the default number of clusters, or fewer than were `asked` for; too uneven
    is an id that holds more than half of the items. Random ids, and catalogues so small that one id
    is the rule, are as they should be.
    """
    facts = ids.facts()
    if ids.method == "categories":
        asked = None  # their number is that of the categories
    usual = cluster_count(facts["items"]) // ids.levels
    if asked is None:
        wrong = usual > 1 and (
            _COARSE * facts["count"] < usual or 2 * facts["largest"] > facts["items"]
        )
    else:
        wrong = facts["count"] < min(asked, facts["items"])
    if ids.method == "random" or not wrong:
        return None
    of_asked = "" if asked is None else f" ({asked:,} asked for)"
    read = ", ".join(ids.modalities)
    why, cure = f"{read} hold no more different vectors", "check these modalities"
    if ids.method == "categories":
        why, cure = "the categories are coarse", "say semantics.method=kmeans"
    elif asked is None and _COARSE * facts["count"] >= usual:
        why = f"{read} are alike, or missing, in most items"
    return (
        f"{facts['count']:,} semantic ids{of_asked} for {facts['items']:,} items, the largest of "
        f"{facts['largest']:,}, tell few items apart: {why}; {cure}, or name others by "
        "semantics.modalities"
    )

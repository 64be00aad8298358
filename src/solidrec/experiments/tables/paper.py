"""The numbers of the SOLID paper, Tables 1 to 5, found by the names of a run."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import final

from solidrec.errors import UsageError
from solidrec.settings import flat

PROTOCOLS = (
    "The paper chooses the epoch on the test users, keeps ties in the order of the file and draws "
    "its own 99 negatives; here the epoch is chosen on validation, the test is opened once, ties "
    "count by expectation, and there are 1 + 99 candidates as well."
)
"""Why a number of the paper and a measured one do not compare digit by digit."""
_MODALITIES = "semantics.modalities"
_SUBSET = "_mm"
_WHICH = (
    "Table 6 of the paper counts the full sets, but the vocabularies of its released "
    "configurations fit the items that have an image; `{name}` is {which}"
)
_SUCH = "such a subset."
_FULL = "a full set, with more items than a configuration of theirs has."


@final
@dataclass(frozen=True)
class _PaperTable:
    """One table of the paper: ``rows`` are (data set, labels, {metric: value}) in printed order.

    ``fixed`` are the labels that hold for every row, ``axes`` the ones that distinguish the rows.
    """

    number: int
    title: str
    metrics: tuple[str, ...]
    axes: tuple[str, ...]
    fixed: Mapping[str, str]
    notes: tuple[str, ...]
    rows: tuple[tuple[str, Mapping[str, str], Mapping[str, float]], ...]


@cache
def paper_table(number: int) -> _PaperTable:
    """Return a table of the paper; raise `UsageError` if its numbers are not here.

    >>> paper_table(2).rows[1]
    ('arts', {'model.name': 'spg'}, {'AUC': 0.8459, ... 'Recall@20': 0.6425})
    """
    found = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    name = f"table{number}"
    if name not in found:
        known = ", ".join(key.removeprefix("table") for key in found)
        raise UsageError(f"table {number} of the paper is not here; there are {known}")
    table = found[name]
    metrics, axes = tuple(table["metrics"]), tuple(table["axes"])
    rows = tuple(
        (data, dict(zip(axes, names, strict=True)), dict(zip(metrics, values, strict=True)))
        for key, values in flat(table["values"]).items()
        for data, *names in (key.split("."),)
    )
    return _PaperTable(
        number, table["title"], metrics, axes, table["fixed"], tuple(table["notes"]), rows
    )


def paper_value(
    *, table: int, data_name: str, labels: Mapping[str, str], metric: str
) -> float | None:
    """Return the paper's value for a measured row, None where it has none.

    `data_name` is the name of a prepared folder or the id of a published data set. A label that is
    no axis of the table must have the value that holds for all of it, and a setting that the paper
    does not name has no number.

    >>> paper_value(
    ...     table=1,
    ...     data_name="scientific_mm",
    ...     labels={"model.backbone.name": "sasrec", "model.name": "solid-duet"},
    ...     metric="UAUC",
    ... )
    0.6738
    """
    found, data = paper_table(table), _paper_data(data_name)
    labels = {
        key: _modality_set(value) if key == _MODALITIES else value for key, value in labels.items()
    }
    for of, own, values in found.rows:
        known = {**found.fixed, **own}
        if (
            of == data
            and set(own) <= set(labels)
            and all(known.get(key) == value for key, value in labels.items())
        ):
            return values.get(metric)
    return None


def _paper_data(name: str) -> str | None:
    """Return the data set of the paper that a folder or a published id is, or None.

    >>> (_paper_data("scientific_mm"), _paper_data("paper-office"), _paper_data("runs/arts"),
    ...  _paper_data("office14"))
    ('scientific', 'office', 'arts', None)
    """
    stem = Path(name).name.lower().removeprefix("paper-").removesuffix(_SUBSET)
    return stem if stem in {of for of, *_ in paper_table(1).rows} else None


def data_note(name: str) -> str | None:
    """Return how a data set relates to the paper's, None where the paper has no such set.

    >>> data_note("scientific")
    'Table 6 of the paper counts ...; `scientific` is a full set, with more items than a
    configuration of theirs has.'
    """
    if _paper_data(name) is None:
        return None
    name = Path(name).name
    return _WHICH.format(name=name, which=_SUCH if name.lower().endswith(_SUBSET) else _FULL)


def _modality_set(text: str) -> str:
    """Return modalities as the paper's Table 3 names them; a matrix counts by how its name starts.

    >>> _modality_set('["text_bert", "id"]'), _modality_set("image + text"), _modality_set("random")
    ('id + text', 'image + text', 'random')
    """
    words = re.findall(r"[^\W_][\w-]*", text.lower())
    return " + ".join(sorted({re.sub("^(image|text).*", r"\1", word) for word in words}))

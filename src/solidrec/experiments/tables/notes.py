"""The notes below a table of results: how to read it, what is missing, where the paper differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from solidrec.evaluate.significance import LEVEL
from solidrec.experiments.tables.contrasts import Contrast
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.paper import PROTOCOLS, data_note, paper_table
from solidrec.experiments.tables.result_table import Layout, TableLine

_SPREAD = (
    "Mean ± standard deviation over training seeds (n − 1); [95 %] over users and seeds, over "
    "users only for one seed."
)
_TEST = (
    "Differences are paired over the same users and seeds; their variance is that over users plus "
    "that over seeds, p is Behrens and Fisher's, corrected (Holm) for the {count} tests of this "
    "table. d_z: mean over standard deviation of users' differences."
)
_STAR = (
    f"A star in a row: above {{reference}}, corrected p < {LEVEL}. A star in a comparison: the "
    "same for its two sides."
)
_AMONG = {"paper": "the target among sampled items", "full": "the target among the whole catalogue"}
_BASE = "its base (`apg` for `solid-apg`, `duet` for `solid-duet`) on the same backbone"
_ONE_SEED = (
    "One training seed says nothing about a method: such differences are of these models only, "
    "without p and without a star."
)


def notes_of(
    rows: Sequence[Measured],
    lines: Sequence[TableLine],
    found: Sequence[Contrast],
    *,
    layout: Layout,
) -> Iterator[str]:
    """Yield the notes below a table of measured rows."""
    first = rows[0]
    yield (
        f"Protocol {first.protocol} ({_AMONG[first.protocol]}), {len(first.users):,} test users, "
        f"data {first.data}. {_SPREAD}"
    )
    yield from _notes_on_tests(found)
    if short := [f"{line.name} ({line.seeds_text})" for line in lines if line.seeds < line.wanted]:
        yield f"Missing: {', '.join(short)}."
    if layout.paper is not None and any(
        cell.paper is not None for line in lines for cell in line.cells
    ):
        yield f"Beside Table {layout.paper} of the paper. {PROTOCOLS}"
        yield from filter(None, (data_note(layout.data_name), *paper_table(layout.paper).notes))


def _notes_on_tests(found: Sequence[Contrast]) -> Iterator[str]:
    """Yield what was tested and what a star means, and what one seed says."""
    if tests := sum(contrast.p is not None for contrast in found):
        bases = {contrast.comparison.other for contrast in found if contrast.comparison.base}
        yield _TEST.format(count=tests)
        yield _STAR.format(reference=f"`{bases.pop()}`" if len(bases) == 1 else _BASE)
    if any(contrast.found and not contrast.found.about_method for contrast in found):
        yield _ONE_SEED

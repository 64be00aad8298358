"""What the trained models of an experiment recommend to a few test users, beside what came next."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from solidrec.recommend.engine import Engine
from solidrec.report.material import Material
from solidrec.report.page import paragraph, short, table, tag
from solidrec.report.semantics import title_of

USERS, MODELS, FIRST = 3, 4, 5
"""Maximum numbers of test users, trained models and places that are shown."""
_LATEST = 10
"""Maximum number of items of a history that are shown."""


def samples(of: Material) -> str:
    """Return some users' histories and each model's first places; empty without data or models."""
    if of.data is None or not of.runs:
        return ""
    names = list(of.runs)[:MODELS]
    rows = of.data.rows("test")
    picked = np.linspace(0, len(rows) - 1, min(USERS, len(rows))).astype(int)
    # the items of each user before the target, oldest first
    histories = [
        of.data.event_items[of.data.offsets[rows.users[at]] : rows.positions[at]].tolist()
        for at in picked
    ]
    ids = [[of.data.items.id(item) for item in each] for each in histories]
    answers = {
        name: [
            [item["title"] or item["item"] for item in answer.items]
            for answer in Engine(of.runs[name]).recommend_many(ids, FIRST)
        ]
        for name in names
    }
    return "\n".join(
        _sample(
            of,
            [title_of(of.data, item) for item in past[-_LATEST:]],
            {name: answers[name][at] for name in names},
            title_of(of.data, int(rows.targets[picked[at]])),
        )
        for at, past in enumerate(histories)
    )


def _sample(of: Material, past: Sequence[str], answers: dict[str, list[str]], truth: str) -> str:
    """Return one history and each model's recommendations for it, with the next item marked."""
    listed = "".join(f"<li>{short(title)}</li>" for title in past) or "<li>(no history)</li>"
    cells = [[_cell(title, truth) for title in answer] for answer in answers.values()]
    rows = [
        [str(place), *line] for place, line in enumerate(zip_longest(*cells, fillvalue=""), start=1)
    ]
    found = any(truth in answer for answer in answers.values())
    missed = "" if found else ' <span class="muted">(in none of these lists)</span>'
    before = paragraph("After this history, oldest first:", kind="muted")
    next_ = paragraph(f"Came next: <strong>{short(truth)}</strong>{missed}")
    lists = table(["", *(tag(of.looks[name]) for name in answers)], rows, kind="lists")
    return f'<div class="sample">{before}<ol class="history">{listed}</ol>{next_}{lists}</div>'


def _cell(title: str, truth: str) -> str:
    """Return a recommended title, marked if it is what came next."""
    return f'<span class="hit">✓ {short(title)}</span>' if title == truth else short(title)

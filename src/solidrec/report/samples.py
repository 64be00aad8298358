"""What the trained models of an experiment recommend to a few test users, beside what came next."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import numpy as np

from solidrec.recommend.engine import Engine
from solidrec.report.material import Material
from solidrec.report.semantics import title_of

USERS, MODELS, FIRST = 3, 4, 5
"""Maximum numbers of test users, trained models and places that are shown."""
_LATEST = 10
"""Maximum number of items of a history that are shown."""


def samples(of: Material) -> list[dict[str, Any]]:
    """Return some users' histories and each model's first places; empty without data or models."""
    if of.data is None or not of.runs:
        return []
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
    found = []
    for at, past in enumerate(histories):
        truth = title_of(of.data, int(rows.targets[picked[at]]))
        lists = [answers[name][at] for name in names]
        sample = {
            "past": [title_of(of.data, item) for item in past[-_LATEST:]],
            "truth": truth,
            "found": any(truth in titles for titles in lists),
            "heads": ["", *(of.looks[name] for name in names)],
            "places": list(zip_longest(*lists, fillvalue="")),
        }
        found.append(sample)
    return found

"""Write a small prepared folder, two runs and what they answer: ``make_frozen.py FOLDER``.

Each release freezes one such folder in the repository; later versions must load it and answer the
same (`test_frozen.py`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl

import solidrec

HISTORIES = (["i01", "i05", "i09"], ["i13"], ["i02", "i03", "i04", "i08", "unknown"])
MODELS = {"solid-duet": "sasrec", "mixture": "sasrec", "static": "gru4rec"}


def log() -> pl.DataFrame:
    """Return a log of 40 users who walk over 16 items in steps of one or two."""
    rng = np.random.default_rng(0)
    rows = []
    for user in range(40):
        places = (rng.integers(16) + np.cumsum(rng.integers(1, 3, size=8))) % 16
        rows += [(f"u{user:02d}", f"i{place:02d}", time) for time, place in enumerate(places)]
    return pl.DataFrame(rows, schema=["user", "item", "timestamp"], orient="row")


def main() -> None:
    """Write the folder."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True)
    items = pl.DataFrame(
        {
            "item": [f"i{item:02d}" for item in range(16)],
            "title": [
                f"{['red', 'blue', 'green', 'grey'][item % 4]} lamp {item}" for item in range(16)
            ],
            "category": [f"c{item % 3}" for item in range(16)],
        }
    )
    data = solidrec.prepare(log(), items=items, out=out / "data", negatives=5)
    answers = {"fingerprint": data.fingerprint, "models": {}}
    for name, backbone in MODELS.items():
        model = solidrec.train(
            data,
            model=name,
            backbone=backbone,
            epochs=2,
            out=out / name,
            settings={"model": {"dim": 8}, "train": {"batch": 64}},
            progress=False,
        )
        answers["models"][name] = {
            "metrics": model.evaluate().metrics,
            "answers": [
                [[item["item"], item["score"]] for item in model.recommend(history, 5).items]
                for history in HISTORIES
            ],
        }
    (out / "answers.json").write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

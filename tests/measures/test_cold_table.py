"""Tables of new items: the first scorer against each other one, as numbers and as Markdown."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.evaluate.intervals import holm, paired_difference
from solidrec.measures.cold_table import METRICS, markdown, table_of

MODEL, FIRST, SECOND = (np.random.default_rng(seed).random(20) for seed in range(3))
VALUES = {
    name: dict.fromkeys(METRICS, values)
    for name, values in (("model", MODEL), ("first", FIRST), ("second", SECOND))
}


def test_the_model_is_compared_with_each_other_scorer_corrected_per_metric() -> None:
    found = table_of("known items", VALUES)
    gaps = [gap for gap in found["differences"] if gap["metric"] == "UAUC"]
    assert [gap["other"] for gap in gaps] == ["first", "second"]
    tests = [paired_difference(MODEL, other) for other in (FIRST, SECOND)]
    assert [gap["mean"] for gap in gaps] == [test.mean for test in tests]
    assert [gap["holm"] for gap in gaps] == holm([test.p for test in tests])
    assert found["rows"][0]["mean"]["UAUC"] == pytest.approx(MODEL.mean())


def test_markdown_has_every_row_and_difference() -> None:
    table = table_of("known items", VALUES)
    facts = {"targets": 1234, "items": 20, "seeds": 2, "share": 0.1, "exposure": 0.25}
    text = markdown({"tables": [table], **facts})
    gap = table["differences"][0]
    assert (
        f"| first | UAUC | {gap['mean']:+.4f} [{gap['low']:+.4f}, {gap['high']:+.4f}] "
        f"| {gap['holm']:.3f} |"
    ) in text
    assert "1,234 targets, 20 items of 2 draws of 10% of the items" in text
    assert text.endswith("Of everybody's ten best of all items 25.0% are new.\n")

"""Tables of new items: the first scorer against each other one, as numbers and as Markdown."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.evaluate.significance import corrected, crossed
from solidrec.measures.cold_table import METRICS, markdown, table_of

MODEL, FIRST, SECOND = (np.random.default_rng(seed).random(20) for seed in range(3))
VALUES = {
    name: dict.fromkeys(METRICS, values)
    for name, values in (("model", MODEL), ("first", FIRST), ("second", SECOND))
}


def test_the_model_is_compared_with_each_other_scorer_over_items() -> None:
    found = table_of("known items", VALUES)
    gaps = found["differences"]
    assert [gap["other"] for gap in gaps] == ["first", "second"] * len(METRICS)
    tests = [crossed((MODEL - other)[None], trained=False) for other in (FIRST, SECOND)]
    assert [gap["mean"] for gap in gaps] == [test.mean for test in tests] * len(METRICS)
    assert [gap["p"] for gap in gaps] == corrected([test.p for test in tests] * len(METRICS))
    assert found["rows"][0]["mean"]["UAUC"] == pytest.approx(MODEL.mean())


def test_equal_scores_have_no_p() -> None:
    table = table_of("known items", {"model": VALUES["model"], "same": VALUES["model"]})
    assert [gap["p"] for gap in table["differences"]] == [1.0] * len(METRICS)


def test_markdown_has_every_row_and_difference() -> None:
    table = table_of("known items", VALUES)
    facts = {"targets": 1234, "items": 20, "seeds": 2, "share": 0.1, "exposure": 0.25}
    text = markdown({"tables": [table], **facts})
    gap = table["differences"][0]
    assert (
        f"| first | UAUC | {gap['mean']:+.4f} [{gap['low']:+.4f}, {gap['high']:+.4f}] "
        f"| {gap['p']:.3f} |"
    ) in text
    assert "1,234 targets, 20 items of 2 draws of 10% of the items" in text
    assert text.endswith("Of everybody's ten best of all items 25.0% are new.\n")

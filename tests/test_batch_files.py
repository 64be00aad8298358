"""Files of histories."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from solidrec.batch_files import _as_histories
from solidrec.errors import UsageError


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"history": [["a", "b"], []]}, (["0", "1"], [["a", "b"], []])),
        ({"user_id": [4, 5], "history": [[1, 2], None]}, (["4", "5"], [["1", "2"], []])),
        ({"history": [["a", None]], "item": ["x"]}, (["0"], [["a"]])),
        ({"user": ["b", "a", "b"], "item_id": [1, 2, 3]}, (["b", "a"], [["1", "3"], ["2"]])),
        ({"user": ["b", "b"], "item": ["None", None]}, (["b"], [["None"]])),
    ],
)
def test_histories_of_a_frame(columns: dict[str, Any], expected: Any) -> None:
    assert _as_histories(pl.DataFrame(columns)) == expected


def test_a_frame_of_something_else_is_refused() -> None:
    with pytest.raises(UsageError, match="found user, thing"):
        _as_histories(pl.DataFrame({"user": ["a"], "thing": ["b"]}))
    with pytest.raises(UsageError, match="a list of item ids is needed"):
        _as_histories(pl.DataFrame({"history": ["a,b"]}))

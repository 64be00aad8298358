"""Filters: what they keep is what a loop over Python values keeps; what is wrong is one line."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidrec.errors import UsageError
from solidrec.recommend.expressions import filter_of

FRAME = pl.DataFrame(
    {
        "price": [5, 20, None, 35],
        "small": pl.Series([1, 2, 3, 4], dtype=pl.Int8),
        "weight": [0.5, 1.5, None, -2.0],
        "brand": ["acme", None, "zeta", "acme"],
        "on_sale": [True, False, None, True],
        "categories": [["toys"], ["toys", "games"], None, []],
        "unit price": [1, 2, 3, 4],
        "since": [date(2024, 1, 1), date(2025, 6, 1), None, date(2026, 1, 1)],
        "seen": [datetime(2024, 1, 1, 10), datetime(2025, 1, 1), None, datetime(2026, 1, 1)],
    }
)


def rows(text: str) -> list[int]:
    """The rows that a filter keeps."""
    return FRAME.with_row_index("n").filter(filter_of(text, FRAME.schema))["n"].to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("price < 20", [0]),
        ("price <= 20", [0, 1]),
        ("20 >= price", [0, 1]),
        ("10 < price < 30", [1]),
        ("price != 20", [0, 3]),
        ("price == None", [2]),
        ("price != None", [0, 1, 3]),
        ("not price < 20", [1, 3]),
        ("price in (5, 35)", [0, 3]),
        ("price not in (5, 35)", [1]),
        ("price in ()", []),
        ("small < 300 and small > -300", [0, 1, 2, 3]),
        ("weight > -1.5", [0, 1]),
        ("weight == -2", [3]),
        ("brand == 'acme'", [0, 3]),
        ("brand in ['acme', 'zeta']", [0, 2, 3]),
        ("'cm' in brand", [0, 3]),
        ("brand > 'b'", [2]),
        ("on_sale", [0, 3]),
        ("not on_sale", [1]),
        ("on_sale == False", [1]),
        ("on_sale in (True, False)", [0, 1, 3]),
        ("'games' in categories", [1]),
        ("'games' not in categories", [0, 3]),
        ("categories in ('toys', 'x')", [0, 1]),
        ("categories not in ('toys', 'x')", [3]),
        ("column('unit price') > 2", [2, 3]),
        ("since >= '2025-06-01'", [1, 3]),
        ("seen > '2024-01-01 09:30:00'", [0, 1, 3]),
        ("price < 10 or (brand == 'zeta' and weight == None)", [0, 2]),
        ("  price < 10  ", [0]),
    ],
)
def test_a_filter_keeps_the_items_that_it_says(text: str, expected: list[int]) -> None:
    assert rows(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no comparison"),
        ("price <", "is no comparison"),
        ("\0", "is no comparison"),
        ("(" * 400 + "price", "is no comparison"),
        ("prize < 3", "no column 'prize'; did you mean 'price'?"),
        ("zzz < 3", "no column 'zzz'; known: price, small"),
        ("price", "'price' is neither true nor false"),
        ("price + 1 < 3", "compare a column with a value"),
        ("price < weight", "compare a column with a value"),
        ("1 < 2", "compare a column with a value"),
        ("price < 'a'", "price holds numbers, 'a' is of another kind"),
        ("price < True", "price holds numbers, True is of another kind"),
        ("brand == 3", "brand holds texts, 3 is of another kind"),
        ("on_sale == 1", "on_sale holds True or False, 1 is of another kind"),
        ("categories == 'toys'", "categories holds lists; write 'toys' in categories"),
        ("5 in price", "price holds no lists; write price == 5"),
        ("brand in 'acme'", "write several values in parentheses"),
        ("price is None", "write == None"),
        ("price < None", "None is compared by == or != only"),
        ("since > 'soon'", "since holds times"),
        ("since > 3", "since holds times"),
        ("price < 1e400", "too large"),
        (f"price < {10**40}", "too large"),
        ("price < 9**9**9", "is no text, number, True or None"),
        ("price < -True", "is no text, number, True or None"),
        ("__import__('os').system('true')", "is neither true nor false"),
        ("price in [x for x in (1,)]", "write several values in parentheses"),
        ("column(brand) == 'a'", "compare a column with a value"),
        ("[price < 3]", "is neither true nor false"),
        ("price < 3 if on_sale else on_sale", "is neither true nor false"),
    ],
)
def test_what_is_wrong_is_one_line(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        filter_of(text, FRAME.schema)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_filter_that_is_too_long_or_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match=r"a filter of 1,203 characters: at most 1,000"):
        filter_of("price < 3 or " * 92 + "on_sale", FRAME.schema)
    with pytest.raises(UsageError, match=r"filter 3: give a text"):
        filter_of(3, FRAME.schema)  # type: ignore[arg-type]


@given(st.text(alphabet="price <>=!()'\"andortin,.0123456789[]{}:\\\n\t-+*/%@#~^&|`", max_size=60))
def test_any_text_is_a_filter_or_one_line(text: str) -> None:
    said = ""
    try:
        FRAME.filter(filter_of(text, FRAME.schema))
    except UsageError as error:
        said = str(error)
    assert "\n" not in said

"""Pages from the templates of this package, which escape every text that they are given."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from solidrec.report.plots import BASELINE_COLORS, COLORS, GRID, INK, MUTED, RUN_COLORS

if TYPE_CHECKING:
    from jinja2 import Environment

_DARK = {INK: "#e6e9ed", MUTED: "#9ba6b2", GRID: "#343b44"} | dict([*RUN_COLORS, *BASELINE_COLORS])


def render(template: str, **values: object) -> str:
    """Return a template of the folder ``templates`` filled with values, all text in them escaped.

    >>> render("sections/map.html", it="<b>Tom & Jerry</b>")[-38:]
    '&lt;b&gt;Tom &amp; Jerry&lt;/b&gt;</p>'
    """
    return _templates().get_template(template).render(values)


@cache
def _templates() -> Environment:
    """Return the environment of the templates; a value that they lack is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("solidrec.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals |= {"tones": COLORS, "dark": _DARK}
    found.filters |= {"shortened": shortened, "thousands": "{:,}".format}
    # JSON as short as it can be; `tojson` itself escapes what could end a script element
    compact = {"ensure_ascii": False, "allow_nan": False, "separators": (",", ":")}
    found.policies["json.dumps_kwargs"] = compact
    return found


def shortened(title: str, width: int = 90) -> str:
    """Return a title; a long one loses its middle, since variants differ at the end.

    >>> shortened("red paint"), shortened("red paint, one litre, gloss", width=18)
    ('red paint', 'red paint, … gloss')
    """
    if len(title) <= width:
        return title
    head, tail = title[: 2 * width // 3], title[-width // 3 :]
    head, tail = head.rpartition(" ")[0] or head, tail.partition(" ")[2] or tail
    return f"{head} … {tail}"

"""The frame of pages and their style sheet: readable by day, by night, on a phone and on paper."""

from __future__ import annotations

from importlib.resources import files
from string import Template

_HERE = files("solidrec.report")
PAGE = Template(_HERE.joinpath("page.html").read_text(encoding="utf-8"))
STYLE = Template(
    """
:root {
  color-scheme: light;
  --paper: #f6f7f9; --card: #fff; --tint: #eaf3fa; --hit: #fff3c4; $light
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    color-scheme: dark;
    --paper: #14181d; --card: #1c2128; --tint: #1d2b38; --hit: #4a3d10; $dark
  }
}
"""
    + _HERE.joinpath("page.css").read_text(encoding="utf-8").replace("$", "$$")
)

"""Write docs/licences.md: the licence of each package of requirements.lock, as it says itself.

python docs/make_licences.py docs/licences.md
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import metadata
from pathlib import Path

LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
HEAD = """# Licences of dependencies

What `pip install solidrec` installs, at the versions of `requirements.lock`, and the licence that
each package states; packages of one platform alone (CUDA, Windows) state theirs there. solidrec
itself is Apache-2.0. This page is written by `make docs`.

| package | version | licence |
|---|---|---|
"""


def pins() -> list[tuple[str, str, str]]:
    """Return name, version and marker of the packages of the lock file."""
    text = LOCK.read_text(encoding="utf-8")
    return re.findall(r"^([A-Za-z0-9._-]+)==([^ ;]+)([^\\\n]*)", text, re.MULTILINE)


def licence(name: str) -> str:
    """Return what an installed package says of its licence, in one line."""
    facts = metadata(name)
    if facts.get("License-Expression"):
        return str(facts["License-Expression"])
    classes = [
        one.rpartition(" :: ")[2]
        for one in facts.get_all("Classifier") or ()
        if one.startswith("License ::") and not one.endswith(":: OSI Approved")
    ]
    return ", ".join(classes) or (facts.get("License") or "not stated").strip().splitlines()[0]


def page() -> str:
    """Return the page."""
    rows = [
        f"| {name} | {version} | {'of one platform' if marker.strip() else licence(name)} |\n"
        for name, version, marker in pins()
    ]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")

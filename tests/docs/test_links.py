"""Links inside the repository lead to a file, and to a heading of it."""

from __future__ import annotations

import re
from pathlib import Path

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The anchors that a code host makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> list[str]:
    """The links of a page that lead nowhere; links to other sites are not followed."""
    found = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


def test_every_link_leads_somewhere(pages: list[Path]) -> None:
    assert sum(len(LINK.findall(page.read_text(encoding="utf-8"))) for page in pages) > 10
    assert {page.name: lost for page in pages if (lost := broken(page))} == {}


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading\n[x](other.md) [y](#a-heading) [z](#no-heading) [w](https://site.org/none)\n",
        encoding="utf-8",
    )
    assert broken(page) == ["other.md", "#no-heading"]


def test_the_readme_names_every_page(repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    names = [
        path.name for path in (repository / "docs").iterdir() if path.suffix in {".md", ".ipynb"}
    ]
    assert [name for name in names if f"](docs/{name})" not in text] == []

"""Write the tables of docs/performance.md from the results of `make bench` and `make growth`.

    python benchmarks/page.py

Replaces the text between ``<!-- bench -->`` and ``<!-- /bench -->``, and between those of growth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from growth import lines
from speed.result import Result
from speed.table import markdown

HERE = Path(__file__).resolve().parent
RESULTS, PAGE = HERE / "results", HERE.parent / "docs" / "performance.md"


def main() -> None:
    """Replace each table whose results exist."""
    text = PAGE.read_text(encoding="utf-8")
    if (latest := RESULTS / "latest.json").exists():
        text = between(text, "bench", bench_text(Result.read(latest)))
    if (growth := RESULTS / "growth.json").exists():
        text = between(text, "growth", growth_text(json.loads(growth.read_text(encoding="utf-8"))))
    PAGE.write_text(text, encoding="utf-8")


def between(text: str, mark: str, content: str) -> str:
    """Replace the text between two marks."""
    found, count = re.subn(
        rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)",
        lambda match: f"{match[1]}\n{content}\n\n{match[2]}",
        text,
        flags=re.DOTALL,
    )
    if count != 1:
        raise SystemExit(
            f"{PAGE}: has {count} places for {mark!r}, one is needed: "
            f"<!-- {mark} --> and <!-- /{mark} -->"
        )
    return found


def bench_text(found: Result) -> str:
    """Return the conditions of the measurement, and the table."""
    if not found.about:
        raise SystemExit(f"{RESULTS}: latest.about.json is missing; `make bench` writes both")
    return (
        f"{facts(found.about)}; {found.about['data']}, medians of {found.about['repeats']}.\n\n"
        f"{markdown(found.rows)}"
    )


def growth_text(found: Mapping[str, Any]) -> str:
    """Return one table per axis; the last rows of each are the slopes."""
    parts = [f"{facts(found)}, 1 thread."]
    for axis, points in found["axes"].items():
        heads, *rows = lines(axis, points)
        parts.append(
            "\n".join(f"| {' | '.join(line)} |" for line in (heads, ["---:"] * len(heads), *rows))
        )
    return "\n\n".join(parts)


def facts(found: Mapping[str, Any]) -> str:
    """Return the machine and the versions."""
    machine, versions = found["machine"], {**found["versions"]}
    named = ", ".join(
        [*(f"{name} {number}" for name, number in versions.items()), *found.get("peers", [])]
    )
    return f"{machine['cpu']}, {machine['cores']} cores, {machine['vectors']}; {named}"


if __name__ == "__main__":
    main()

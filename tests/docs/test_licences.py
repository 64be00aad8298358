"""The lock file has a hash for every pin, at the tested versions, and its licences are listed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", re.MULTILINE)


def pins(path: Path) -> dict[str, str]:
    return {
        name.lower().replace("_", "-"): version
        for name, version in PIN.findall(path.read_text(encoding="utf-8"))
    }


def test_every_pin_has_a_hash_and_is_the_tested_version(repository: Path) -> None:
    lock, tested = pins(repository / "requirements.lock"), pins(repository / "constraints.txt")
    assert {name: lock[name] for name in lock.keys() & tested.keys()} == {
        name: tested[name] for name in lock.keys() & tested.keys()
    }
    text = (repository / "requirements.lock").read_text(encoding="utf-8")
    parts = PIN.split(text)[3::3]
    assert len(parts) == len(lock)
    assert all("--hash=sha256:" in part for part in parts)


def test_every_dependency_is_locked(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[>=\[; ]", one)[0] for one in project["dependencies"]}
    assert names <= pins(repository / "requirements.lock").keys()


def test_the_page_of_licences_is_up_to_date(
    repository: Path, generated: Callable[[str], str]
) -> None:
    page = (repository / "docs" / "licences.md").read_text(encoding="utf-8")
    found = generated("licences")
    assert page == found, "run `make docs`"
    assert "not stated" not in page
    assert not re.search(r"\| (A?GPL|GPL-)", page)

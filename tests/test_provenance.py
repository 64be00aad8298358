from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from solidrec import provenance


def git(folder: Path, *words: str) -> str:
    made = ["-c", "user.name=a", "-c", "user.email=a@b", *words]
    return subprocess.run(
        ["git", "-C", str(folder), *made], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_commit_is_that_of_the_package_and_says_if_it_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "src" / "solidrec"
    package.mkdir(parents=True)
    (package / "provenance.py").write_text("x = 1\n", encoding="utf-8")
    monkeypatch.setattr(provenance, "__file__", str(package / "provenance.py"))
    assert provenance.commit() is None  # no checkout
    git(tmp_path, "init", "-q")
    assert (
        provenance.commit() is None
    )  # a package that lies in somebody's checkout and is no part of it
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert provenance.commit() == head
    (package / "new.py").write_text("", encoding="utf-8")
    assert provenance.commit() == f"{head}+"
    (package / "new.py").unlink()
    (package / "provenance.py").write_text("x = 2\n", encoding="utf-8")
    assert provenance.commit() == f"{head}+"
    monkeypatch.setenv("PATH", "")
    assert provenance.commit() is None  # no git

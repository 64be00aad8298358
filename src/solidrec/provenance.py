"""What results were made with: the versions of packages, and the commit of this one."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def versions() -> dict[str, str]:
    """Return the versions of Python and packages that results may depend on.

    >>> sorted(versions())
    ['numpy', 'polars', 'python', 'solidrec', 'torch']
    """
    found = {"python": platform.python_version()}
    for name in ("solidrec", "torch", "numpy", "polars"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def commit() -> str | None:
    """Return the commit of this package, followed by ``+`` if it has changed; None if unknown."""
    here = Path(__file__).resolve().parent

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(here), *words],
                capture_output=True,
                text=True,
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    # A package installed inside the folder of some checkout is not tracked by that checkout.
    if git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return None
    head, changes = git("rev-parse", "HEAD"), git("status", "--porcelain", "--", str(here))
    return None if head is None or changes is None else head + ("+" if changes else "")

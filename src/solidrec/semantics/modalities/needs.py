"""Optional packages: looked up without an import; errors name the extra to install."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from solidrec.errors import UsageError


def need(extra: str, *modules: str) -> None:
    """Raise `UsageError` that names the extra unless every module can be imported.

    >>> need("image", "json")
    """
    absent = [module for module in modules if find_spec(module) is None]
    if absent:
        raise UsageError(f"{', '.join(absent)} is not installed; pip install 'solidrec[{extra}]'")


def package_folder(extra: str, module: str) -> Path:
    """Return the folder of an installed package; raises as `need` does."""
    need(extra, module)
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(f"{module} is not a package; install 'solidrec[{extra}]' again")
    return Path(spec.submodule_search_locations[0])

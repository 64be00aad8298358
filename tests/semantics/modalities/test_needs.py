from __future__ import annotations

import json
from pathlib import Path

import pytest

from solidrec.errors import UsageError
from solidrec.semantics.modalities.needs import need, package_folder


def test_a_missing_package_is_one_line_with_the_extra() -> None:
    need("image", "json", "numpy")
    with pytest.raises(
        UsageError,
        match=r"^no_such_a, no_such_b is not installed; pip install 'solidrec\[image\]'$",
    ):
        need("image", "no_such_a", "json", "no_such_b")


def test_the_folder_of_a_package_is_found_without_importing_it() -> None:
    assert package_folder("text", "json") == Path(json.__file__).parent
    with pytest.raises(UsageError, match=r"solidrec\[text\]"):
        package_folder("text", "no_such_package")
    with pytest.raises(UsageError, match="is not a package"):
        package_folder("text", "this")

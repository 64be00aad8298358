"""Names of parts: ours, those of installed packages, and places."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from solidrec import registry as module
from solidrec.errors import UsageError
from solidrec.nn.backbones import SASRec
from solidrec.registry import BACKBONES, Registry


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> Registry[Any]:
    """A registry of two own readers, and a package that registers a new and a taken name."""

    def installed(*, group: str) -> Iterator[EntryPoint]:
        assert group == "my.readers"
        yield EntryPoint("toml", "tomllib:loads", group)
        yield EntryPoint("json", "os:system", group)

    monkeypatch.setattr(module, "entry_points", installed)
    return Registry("reader", "my.readers", {"json": "json:loads", "length": len})


def test_parts_are_found_by_name_and_by_place(readers: Registry[Any]) -> None:
    assert readers["length"]("abc") == 3
    assert readers["json"]("[1]") == [1]
    assert readers["toml"]("a = 1") == {"a": 1}
    assert readers["json:dumps"]([1]) == "[1]"


def test_a_package_adds_names_and_takes_none(readers: Registry[Any]) -> None:
    assert list(readers) == ["json", "length", "toml"]
    assert len(readers) == 3
    assert readers.own == ("json", "length")
    assert readers["json"]("2") == 2  # not os.system


def test_a_part_is_added_to_this_process_and_taken_away(readers: Registry[Any]) -> None:
    readers["upper"] = str.upper
    assert readers["upper"]("a") == "A"
    del readers["upper"]
    assert "upper" not in readers
    with pytest.raises(KeyError):
        readers["upper"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tmol", "unknown name 'tmol'; did you mean 'toml'"),
        (
            "no_such_module:x",
            r"reader 'no_such_module:x' cannot be imported \(No module named 'no_such_module'\)",
        ),
        ("json:nothing", "reader 'json:nothing' cannot be imported"),
        (":x", "reader ':x' cannot be imported"),
        (".os:system", "reader '.os:system' cannot be imported"),
        ("json:__name__", "reader 'json:__name__' is no callable"),
    ],
)
def test_a_name_that_stands_for_nothing_is_one_line(
    readers: Registry[Any], name: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        readers.check(name)


def test_a_part_from_elsewhere_must_be_of_its_kind() -> None:
    assert BACKBONES.check("solidrec.nn.backbones.sasrec:SASRec")
    assert BACKBONES["solidrec.nn.backbones.sasrec:SASRec"] is BACKBONES["sasrec"] is SASRec
    for other in ("os:system", "solidrec.nn.recommender:Recommender"):
        with pytest.raises(UsageError, match="is no subclass of Backbone"):
            BACKBONES.check(other)


def test_our_own_names_are_not_imported_to_be_checked() -> None:
    lazy = Registry("reader", "none", {"json": "no_such_module:loads"})
    assert lazy.check("json") == "json"

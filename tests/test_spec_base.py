"""Any group of settings is frozen, and each mistake in it is one phrase with the nearest name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
import pytest
from pydantic import AfterValidator, Field

from solidrec.errors import UsageError
from solidrec.registry import Registry
from solidrec.spec_base import Spec, part_of

TOOLS: Registry[object] = Registry("tool", "tests.no.such.group", {"saw": "shutil:which"})


class Blade(Spec):
    teeth: int = Field(8, ge=1)
    steel: Literal["soft", "hard"] = "hard"


class Machine(Spec):
    tool: Annotated[str, AfterValidator(part_of(TOOLS))] = "saw"
    blade: Blade = Blade()
    spares: tuple[Blade, ...] = ()
    speed: float = 1.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"blad": {}}, "unknown setting 'blad'; did you mean 'blade'?"),
        ({"blade": {"tooth": 3}}, "unknown setting 'blade.tooth'; did you mean 'blade.teeth'?"),
        (
            {"spares": [{}, {"stel": "hard"}]},
            "unknown setting 'spares.1.stel'; did you mean 'spares.1.steel'?",
        ),
        (
            {"blade": {"steel": "hart"}},
            "setting blade.steel: unknown name 'hart'; did you mean 'hard'?",
        ),
        ({"tool": "sav"}, "setting tool: unknown name 'sav'; did you mean 'saw'?"),
        (
            {"blade": {"teeth": 0}},
            "setting blade.teeth: input should be greater than or equal to 1 (got 0)",
        ),
        ({"speed": float("inf")}, "setting speed: input should be a finite number (got inf)"),
    ],
)
def test_a_mistake_is_one_phrase(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Machine.parse(values)
    assert str(caught.value) == message


def test_all_mistakes_are_said_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        Machine.parse({"blade": {"teeth": 0}, "tool": "sav"})
    first, second = str(caught.value).split("; setting ")
    assert first.startswith("setting tool: ")
    assert second.startswith("blade.teeth: ")


def test_what_is_right_is_parsed_and_then_frozen() -> None:
    found = Machine.parse({"blade": {"teeth": 3}, "spares": [{"steel": "soft"}], "tool": "saw"})
    assert (found.blade.teeth, found.blade.steel, found.spares) == (
        3,
        "hard",
        (Blade(steel="soft"),),
    )
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        found.speed = 2.0


def test_a_part_of_another_package_is_named_by_its_place() -> None:
    assert Machine.parse({"tool": "shutil:move"}).tool == "shutil:move"
    with pytest.raises(UsageError, match=r"setting tool: .*shutil:nothing"):
        Machine.parse({"tool": "shutil:nothing"})


@pytest.mark.parametrize("value", [None, 3, "text", [1, 2], [["speed", 1]]])
def test_a_specification_is_a_table(value: Any) -> None:
    with pytest.raises(UsageError, match="a table of names and values is needed"):
        Machine.parse(value)


class _Odd(Spec):
    """Settings of which each takes one kind of value."""

    number: int = 0
    share: float | None = None
    text: str = ""
    on: bool = False
    any: Any = None


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"number": True}, "it is neither on nor off"),
        ({"share": False}, "it is neither on nor off"),
        ({"text": b"a"}, "give a text, not bytes"),
        ({"text": "\ud800"}, "has characters that no file can hold"),
    ],
)
def test_nothing_is_taken_for_a_value_of_another_kind(values: dict[str, Any], why: str) -> None:
    ((name, value),) = values.items()
    with pytest.raises(UsageError) as caught:
        _Odd.parse(values)
    assert str(caught.value) == f"setting {name}: {why} (got {value!r})"


def test_what_may_be_on_or_off_is() -> None:
    assert _Odd.parse({"on": True, "any": True}) == _Odd(on=True, any=True)

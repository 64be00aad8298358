"""The table of models: which parts each name stands for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from solidrec.designs import DESIGNS, SHARED, TRUNK, Design, Parts, branch, named
from solidrec.errors import UsageError
from solidrec.registry import SOURCES


def test_parts_add_up() -> None:
    assert TRUNK + branch(codebook=True) == Parts(trunk=True, branch=True, codebook=True)
    assert SHARED + TRUNK == TRUNK


def test_a_model_with_a_trunk_or_a_codebook_needs_semantic_ids() -> None:
    without = {name for name in DESIGNS.own if not DESIGNS[name].needs_semantics}
    assert without == {
        "plain",
        "static",
        "duet",
        "apg",
        "mixture",
        "mixture-static",
        "mixture-lengths",
        "mixture-duet",
    }


def test_a_control_has_the_loss_of_a_codebook_that_nothing_reads() -> None:
    controls = {name for name in DESIGNS.own if DESIGNS[name].parts.codebook_loss}
    assert controls == {"static-codebook", "spg-penalty", "sml-penalty"}
    assert not any(DESIGNS[name].parts.codebook for name in controls)
    assert all(DESIGNS[name].has_codebook for name in controls)


@pytest.mark.parametrize("name", ["solid-duet", "solid-apg"])
def test_solid_is_compared_with_its_base_first(name: str) -> None:
    """And with the static model, its trunk alone, and trunk and branch, each on the same head."""
    base, static, trunk, both = DESIGNS[name].references
    assert static == "static"
    assert DESIGNS[base].parts == branch()
    assert DESIGNS[trunk].parts == TRUNK
    assert DESIGNS[both].parts == TRUNK + branch(clip=True)
    heads = {DESIGNS[each].head for each in (name, base, trunk, both)}
    assert len(heads) == 1


def test_mixtures_and_others_are_all_models() -> None:
    assert {*named(mixtures=True), *named(mixtures=False)} == set(DESIGNS.own)
    assert all(name.startswith("mixture") for name in named(mixtures=True))


def test_a_source_of_another_package_has_parts_of_its_own() -> None:
    design = Design("full", source=lambda making: making)
    assert design.parts == Parts()
    assert not design.needs_semantics


def test_an_unknown_model_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown name 'solid-dute'; did you mean 'solid-duet'"):
        DESIGNS.check("solid-dute")


def test_the_table_needs_no_torch() -> None:
    """Help texts and specifications read it, and are to be quick."""
    code = "import solidrec.designs, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_source_of_another_package_may_need_semantic_ids() -> None:
    assert Design("full", source=lambda making: making, reads_semantics=True).needs_semantics


def test_an_unknown_head_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown head 'ful'; did you mean 'full'"):
        Design("ful", SHARED)


def test_a_source_may_be_a_name_in_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="unknown source 'last-item'; known: none"):
        Design("full", "last-item")
    monkeypatch.setitem(SOURCES, "last-item", str)
    assert Design("full", "last-item").make_source is str
    assert Design("full", "builtins:len").make_source is len
    assert DESIGNS["duet"].make_source is None
    with pytest.raises(UsageError, match="unknown source 'last-itme'; did you mean 'last-item'"):
        Design("full", "last-itme")

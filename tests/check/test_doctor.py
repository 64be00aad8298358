from __future__ import annotations

import json
import platform
from importlib.metadata import version

import pytest
import torch

from solidrec.check import doctor
from solidrec.check.doctor import _CORE, _EXTRAS, _installed, diagnose


def test_it_says_what_is_installed() -> None:
    facts = diagnose()
    assert facts["python"] == platform.python_version()
    assert list(facts["versions"]) == list(_CORE)
    assert facts["versions"]["torch"] == version("torch")
    assert set(facts["extras"]) == set(_EXTRAS)
    assert facts["threads"]["torch default"] == torch.get_num_threads()
    assert json.loads(json.dumps(facts)) == facts


def test_what_is_not_installed_is_none() -> None:
    assert _installed("numpy") == version("numpy")
    assert _installed("no-such-distribution") is None


def test_pairs_known_to_clash_are_named_when_both_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        doctor,
        "_BAD_PAIRS",
        (("numpy", "torch", "for this test"), ("numpy", "no-such-distribution", "never")),
    )
    assert diagnose()["known-bad pairs"] == ["numpy with torch: for this test"]
    monkeypatch.setattr(doctor, "_BAD_PAIRS", ())
    assert diagnose()["known-bad pairs"] == ["none installed"]

from __future__ import annotations

import pytest

from solidrec.semantics.modalities.base import key_of


def test_a_key_is_a_sha256_of_names_and_values() -> None:
    keys = {
        key_of(a="x"),
        key_of(b="x"),
        key_of(a="y"),
        key_of(a="x", b="y"),
        key_of(a=1),
        key_of(a="1"),
    }
    assert len(keys) == 6
    assert all(len(bytes.fromhex(key)) == 32 for key in keys)


def test_what_has_no_plain_form_is_refused() -> None:
    with pytest.raises(TypeError):
        key_of(a=object())

"""Limits: sensible values, and nonsense is refused."""

from __future__ import annotations

import pytest

from solidrec.errors import UsageError
from solidrec.serve.limits import Limits


def test_the_defaults_are_those_of_the_documentation() -> None:
    limits = Limits()
    assert (limits.body_bytes, limits.queue, limits.deadline_seconds) == (262_144, 256, 0.5)


@pytest.mark.parametrize(
    "wrong", [{"queue": 0}, {"max_batch": -1}, {"deadline_seconds": 0}, {"body": 1}]
)
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Limits.parse(wrong)

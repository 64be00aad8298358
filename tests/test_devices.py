"""Threads and devices are checked before work starts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from solidrec.devices import check_device, use_threads
from solidrec.errors import UsageError


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """The number of threads that other tests have."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_torch_uses_as_many_threads_as_are_asked_for() -> None:
    use_threads(1)
    assert torch.get_num_threads() == 1
    with pytest.raises(UsageError, match="threads=0: give a whole number, 1 or more"):
        use_threads(0)
    with pytest.raises(UsageError, match=r"--threads 5000: there are \d+ cores"):
        use_threads(5_000)


def test_a_device_that_is_not_there_is_one_line_with_the_cure() -> None:
    check_device("cpu")
    for device in ("cuda:99", "gpu", "meta", 10**30):
        with pytest.raises(UsageError, match=rf"--device {device}: .*solidrec doctor") as caught:
            check_device(device)
        assert "\n" not in str(caught.value)

"""The device and the number of threads that torch uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from solidrec.errors import UsageError


def use_threads(threads: int) -> None:
    """Set the torch threads of this process, or raise `UsageError` for less than one."""
    if threads < 1:
        raise UsageError(f"threads={threads}: give 1 or more")
    torch.set_num_threads(threads)


def check_device(device: str) -> None:
    """Raise `UsageError` unless torch can put a tensor on `device`."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"--device {device}: {str(error).splitlines()[0]}; "
            "`solidrec doctor` lists what there is"
        ) from None


@contextmanager
def computing(device: str, threads: int) -> Iterator[None]:
    """Set the torch threads and check the device; put the former number of threads back at the end.

    Raises as `use_threads` and `check_device` do.
    """
    before = torch.get_num_threads()
    use_threads(threads)
    try:
        check_device(device)
        yield
    finally:
        torch.set_num_threads(before)

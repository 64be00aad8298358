"""The device and the number of threads that torch uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from solidrec.arguments import as_count
from solidrec.errors import UsageError

_PER_CORE = 8
"""The most threads a core; more only wait for each other."""


def use_threads(threads: int) -> None:
    """Set the torch threads of this process.

    Raises `UsageError` for less than one, and for many more than there are cores: the threads'
    stacks would end the process.
    """
    cores = os.cpu_count() or 1
    threads = as_count(threads, "threads")
    if threads > _PER_CORE * cores:
        raise UsageError(
            f"--threads {threads}: there are {cores} cores; give 1 to {_PER_CORE * cores}"
        )
    torch.set_num_threads(threads)


def check_device(device: str) -> None:
    """Raise `UsageError` unless torch can put a tensor on `device` and read it there."""
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, TypeError, ValueError) as error:
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


def computing_on(device: str, threads: int) -> str:
    """Describe the device, the number of threads, and how the threads wait for each other."""
    waiting = os.environ.get("OMP_WAIT_POLICY", "the runtime's default")
    together = f", which wait by OMP_WAIT_POLICY={waiting}" if threads > 1 else ""
    return f"computing on {device} with {threads} of {os.cpu_count()} threads{together} (--threads)"

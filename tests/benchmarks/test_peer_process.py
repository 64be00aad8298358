"""What a peer is asked to do is counted and timed as ours is."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pandas as pd

Script = Callable[[str], ModuleType]


def test_the_peers_positions_are_the_last_ten(script: Script) -> None:
    """Users with 1, 2, 11 and 30 events have 0, 1, 10 and 10 positions in their last 11 events."""
    users = [user for user, events in enumerate((1, 2, 11, 30)) for _ in range(events)]
    assert script("peer_process").positions(pd.DataFrame({"user": users})) == 0 + 1 + 10 + 10


def test_the_first_epoch_is_outside_the_clock(script: Script) -> None:
    clock = script("peer_process").Clock()
    clock.ends = [(100.0, 50.0), (101.0, 52.0), (103.0, 53.0)]
    assert clock.sample(7) == (7 * 2, 103 - 100, 53 - 50)

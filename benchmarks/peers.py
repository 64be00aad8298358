"""Run one peer in its own process: it trains or recommends once for each line on standard input.

    python benchmarks/peers.py train/rectools/128 LOG.parquet

LOG.parquet has user, item (both from 0) and time of the training part of the data, with the events
of each user together and in order. Runs in the peers' own environment (peers-requirements.txt) and
imports nothing of solidrec. The protocol is that of `speed.worker`: a first line when it is ready,
then a line of {work, cpu, wall, peak_mb} for each line that it reads.

Training is timed from the end of one epoch to the end of a later one, so set-up and the first epoch
are not included. Both peers read the last 11 items of each user: 10 positions for a user with that
many items, each with 4 negatives.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

from peer_process import Sample, peak_mb, speech
from peer_rectools import rectools
from peer_replay import replay

PEERS: dict[str, tuple[Callable[..., Callable[[], Sample]], str, int, bool]] = {
    "train/rectools/128": (rectools, "rectools", 128, False),
    "train/rectools/1024": (rectools, "rectools", 1024, False),
    "train/rectools-softmax/128": (partial(rectools, loss="softmax"), "rectools", 128, False),
    "train/rectools-softmax/1024": (partial(rectools, loss="softmax"), "rectools", 1024, False),
    "top-10/rectools": (rectools, "rectools", 1024, True),
    "train/replay/128": (replay, "replay-rec", 128, False),
    "train/replay/1024": (replay, "replay-rec", 1024, False),
    "top-10/replay": (replay, "replay-rec", 1024, True),
}
"""By name: the builder, its distribution, users per batch, and whether it recommends."""


def main() -> None:
    """Set up, then measure once for each line on standard input."""
    import pandas as pd

    output = speech()

    def say(**facts: object) -> None:
        print(json.dumps(facts), file=output, flush=True)

    make, distribution, batch, recommend = PEERS[sys.argv[1]]
    measure = make(pd.read_parquet(sys.argv[2]), batch=batch, recommend=recommend)
    say(ready=f"{distribution} {version(distribution)}")
    for _ in sys.stdin:
        work, cpu, wall = measure()
        say(work=work, cpu=cpu, wall=wall, peak_mb=peak_mb())


if __name__ == "__main__":
    main()

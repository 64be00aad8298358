"""Load a service with requests and report how it answers.

    python benchmarks/load_client.py http://127.0.0.1:8000 RUN --connections 16 --seconds 10
    python benchmarks/load_client.py http://127.0.0.1:8000 RUN --rate 500

Without a rate each connection asks again as soon as it is answered: the most that the service can
do. With one, requests come at random times (Poisson), whether or not earlier ones are answered, and
latency counts from the time at which a request was due: an open loop, as users are. Goodput are
answers with status 200 within the deadline.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import polars as pl

_FEWEST = 100
"""The fewest requests whose 99th percentile is shown."""


class Load(NamedTuple):
    """What is asked: bodies to choose from, for so many seconds."""

    host: str
    port: int
    path: str
    bodies: Sequence[bytes]
    seconds: float
    connections: int
    rate: float | None = None
    token: str | None = None


class Done(NamedTuple):
    """When a request was due and answered, in seconds from the start, and its status; 0: none."""

    due: float
    answered: float
    status: int


async def run(load: Load) -> list[Done]:
    """Send the load and return what became of each request."""
    found: list[Done] = []
    due: asyncio.Queue[float | None] = asyncio.Queue()
    start = time.perf_counter()
    workers = [
        asyncio.create_task(_connection(load, start, due, found, seed=number))
        for number in range(load.connections)
    ]
    if load.rate is not None:
        await _arrivals(load, start, due)
        for _ in workers:
            due.put_nowait(None)
    await asyncio.gather(*workers)
    return found


async def _arrivals(load: Load, start: float, due: asyncio.Queue[float | None]) -> None:
    """Put the times at which requests are due into the queue, when they are."""
    assert load.rate is not None
    rng, at = random.Random(0), 0.0
    while (at := at + rng.expovariate(load.rate)) < load.seconds:
        wait = start + at - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        due.put_nowait(at)


async def _connection(
    load: Load, start: float, due: asyncio.Queue[float | None], found: list[Done], *, seed: int
) -> None:
    """Send one request after the other, over a connection that is opened again if it is closed."""
    rng, streams = random.Random(seed), None
    head = f"POST {load.path} HTTP/1.1\r\nHost: {load.host}\r\nContent-Type: application/json\r\n"
    if load.token is not None:
        head += f"Authorization: Bearer {load.token}\r\n"
    while True:
        at: float | None = time.perf_counter() - start
        if load.rate is not None:
            at = await due.get()
        elif at is not None and at >= load.seconds:
            at = None
        if at is None:
            break
        body = rng.choice(load.bodies)
        message = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        try:
            streams = streams or await asyncio.open_connection(load.host, load.port)
            status, closes = await _answer(*streams, message)
        except (OSError, asyncio.IncompleteReadError):
            status, closes = 0, True
        found.append(Done(at, time.perf_counter() - start, status))
        if closes and streams is not None:
            streams[1].close()
            streams = None
    if streams is not None:
        streams[1].close()


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes
) -> tuple[int, bool]:
    """Send a request; return the status of its answer and whether the connection ends with it."""
    writer.write(message)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(size)
    return int(head[9:12]), b"connection: close" in head


def summary(found: Sequence[Done], *, seconds: float, deadline: float) -> dict[str, Any]:
    """Return counts, rates and percentiles of latency in milliseconds.

    >>> summary([Done(0.0, 0.01, 200), Done(0.0, 0.03, 503)], seconds=2, deadline=0.5)["goodput"]
    0.5
    """
    taken = [one.answered - one.due for one in found if one.status == 200]
    refused = [one.answered - one.due for one in found if one.status not in (0, 200)]
    good = sum(each <= deadline for each in taken)
    return {
        "requests": len(found),
        "statuses": dict(Counter(one.status for one in found)),
        "per_second": round(len(taken) / seconds, 1),
        "goodput": round(good / seconds, 1),
        **{f"p{share}_ms": _percentile(taken, share) for share in (50, 95, 99)},
        "refused_p99_ms": _percentile(refused, 99),
    }


def _percentile(seconds: Sequence[float], share: int) -> float | None:
    """Return a percentile in milliseconds, None if there are too few values for it."""
    if len(seconds) < (_FEWEST if share == 99 else 2):
        return None
    return round(1000 * statistics.quantiles(seconds, n=100)[share - 1], 2)


def bodies(run: Path, *, history: int, candidates: int, k: int, count: int = 500) -> list[bytes]:
    """Return requests for random histories of the items of a run; without candidates: of all."""
    rng = random.Random(0)
    ids = pl.read_parquet(run / "items.parquet", glob=False)["item"].to_list()
    made = []
    for _ in range(count):
        asked: dict[str, Any] = {"history": rng.sample(ids, min(history, len(ids))), "k": k}
        if candidates:
            asked["candidates"] = rng.sample(ids, min(candidates, len(ids)))
        made.append(json.dumps(asked).encode())
    return made


def main() -> None:
    """Load a service as the command line says and print the summary as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url")
    parser.add_argument("run", type=Path, help="the run folder, for its item ids")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, help="requests per second; without: all it can")
    parser.add_argument("--history", type=int, default=10)
    parser.add_argument("--candidates", type=int, default=0, help="0: the whole catalogue")
    parser.add_argument("--deadline", type=float, default=0.5)
    parser.add_argument("-k", type=int, default=10)
    asked = parser.parse_args()
    url = urlsplit(asked.url)
    load = Load(
        url.hostname or "127.0.0.1",
        url.port or 80,
        "/v1/recommend",
        bodies(asked.run, history=asked.history, candidates=asked.candidates, k=asked.k),
        asked.seconds,
        asked.connections,
        asked.rate,
    )
    found = asyncio.run(run(load))
    print(json.dumps(summary(found, seconds=asked.seconds, deadline=asked.deadline)))


if __name__ == "__main__":
    main()

"""The load client: every request is counted once, by what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Script = Callable[[str], ModuleType]


async def _serve(client: ModuleType, delay: float, **options: Any) -> tuple[list[Any], list[bytes]]:
    """Load a server that answers 200, 503 and then closes, in turn; and what it was asked."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            asked.append(await reader.readexactly(size))
            await asyncio.sleep(delay)
            turn = len(asked) % 3
            if turn == 0:
                writer.close()
                return
            status = b"200 OK" if turn == 1 else b"503 Busy"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    load = client.Load("127.0.0.1", port, "/x", [b"one", b"two"], **options)
    found = await client.run(load)
    server.close()
    return found, asked


def test_every_request_is_counted_by_its_status(script: Script) -> None:
    client = script("load_client")
    found, asked = asyncio.run(_serve(client, 0.002, seconds=0.3, connections=2))
    assert len(found) == len(asked) > 20
    statuses = client.summary(found, seconds=0.3, deadline=0.5)["statuses"]
    assert set(statuses) == {0, 200, 503}
    assert sum(statuses.values()) == len(found)
    assert set(asked) == {b"one", b"two"}


def test_an_open_loop_counts_the_wait_for_a_free_connection(script: Script) -> None:
    client = script("load_client")
    found, _ = asyncio.run(_serve(client, 0.02, seconds=0.5, connections=1, rate=200))
    assert 60 < len(found) < 160  # 100 expected
    latest = max(one.answered - one.due for one in found)
    assert latest > 0.5  # one connection answers 50 a second, so the last one waits long


def test_goodput_counts_answers_in_time(script: Script) -> None:
    client = script("load_client")
    done = [client.Done(0.0, 0.1, 200)] * 150 + [client.Done(0.0, 0.9, 200)] * 50
    found = client.summary([*done, client.Done(0, 0.01, 503)], seconds=10, deadline=0.5)
    assert (found["requests"], found["per_second"], found["goodput"]) == (201, 20.0, 15.0)
    assert found["p50_ms"] == pytest.approx(100)
    assert found["p95_ms"] == pytest.approx(900)


def test_bodies_are_requests_with_ids_of_the_run(script: Script, run_folder: Path) -> None:
    import json

    made = script("load_client").bodies(run_folder, history=3, candidates=5, k=2, count=4)
    for body in map(json.loads, made):
        assert len(body["history"]) == 3
        assert len(set(body["candidates"])) == 5
        assert all(item.startswith("i") for item in body["history"])

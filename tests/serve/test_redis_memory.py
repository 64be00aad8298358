"""The memory in Redis: the same events from any process, and no wait where it is down."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from solidrec.serve.memory import MemoryDown, MemoryLimits
from solidrec.serve.redis_memory import RedisMemory


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of our own."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("no redis-server; apt-get install redis-server")
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    words = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        with Redis(port=port) as client:
            for _ in range(100):
                try:
                    client.ping()
                    break
                except ConnectionError:
                    time.sleep(0.05)
                except Exception:
                    time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
        process.terminate()


@pytest.fixture
def plain(url: str) -> Iterator[Any]:
    """Redis itself, emptied."""
    with Redis.from_url(url) as client:
        client.flushall()
        yield client


def using(url: str, work: Callable[[RedisMemory], Awaitable[Any]], **options: Any) -> Any:
    async def used() -> Any:
        memory = RedisMemory(url, **options)
        try:
            return await work(memory)
        finally:
            await memory.close()

    return asyncio.run(used())


def test_what_one_process_adds_another_one_reads(url: str, plain: Any) -> None:
    async def add(memory: RedisMemory) -> None:
        await memory.add("ü/1", ["a", "b"])
        await memory.add("ü/1", ["é", "d"])

    limits = MemoryLimits.parse({"events": 3, "seconds": 60})
    using(url, add, limits=limits)
    assert using(url, lambda memory: memory.events("ü/1")) == ["b", "é", "d"]
    assert using(url, lambda memory: memory.events("other")) == []
    assert 0 < plain.pttl("solidrec:events:ü/1") <= 60_000
    using(url, lambda memory: memory.forget("ü/1"))
    assert using(url, lambda memory: memory.events("ü/1")) == []


def test_after_its_time_everything_is_gone(url: str, plain: Any) -> None:
    limits = MemoryLimits.parse({"seconds": 0.05})
    using(url, lambda memory: memory.add("u", ["a"]), limits=limits)
    time.sleep(0.1)
    assert plain.exists("solidrec:events:u") == 0


def test_s19_what_somebody_else_wrote_is_never_believed(url: str, plain: Any) -> None:
    plain.rpush("solidrec:events:u", b"a", b"\xff\xfe", b"", b"x" * 300, b"\x80\x04N.", b"b")
    assert using(url, lambda memory: memory.events("u")) == ["a", "b"]
    plain.set("solidrec:events:v", b"no list")
    with pytest.raises(MemoryDown):
        using(url, lambda memory: memory.events("v"))


def test_s19_a_server_that_hangs_is_left_after_20_ms_and_then_left_alone() -> None:
    """It accepts connections and says nothing."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        now = [0.0]

        async def ask(memory: RedisMemory) -> list[float]:
            waits = []
            for _ in range(7):
                started = time.perf_counter()
                with pytest.raises(MemoryDown):
                    await memory.events("u")
                waits.append(time.perf_counter() - started)
            now[0] = 2.5  # the pause is over: it is asked again
            started = time.perf_counter()
            with pytest.raises(MemoryDown):
                await memory.events("u")
            return [*waits, time.perf_counter() - started]

        url = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        waits = using(url, ask, clock=lambda: now[0])
    assert all(0.015 < wait < 0.5 for wait in waits[:5])
    assert all(wait < 0.015 for wait in waits[5:7])
    assert waits[7] > 0.015


def test_s19_a_server_that_is_gone_is_down_at_once(tmp_path: Path) -> None:
    with pytest.raises(MemoryDown):
        using(f"redis://127.0.0.1:{free_port()}/0", lambda memory: memory.events("u"))

"""A service of a small run, and a client that asks it without a network."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import httpx2
import polars as pl
import pytest

from solidrec.api import Model, prepare, train
from solidrec.serve.app import Application
from solidrec.serve.limits import Limits
from solidrec.serve.service import Service
from solidrec.serve.versions import Version

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
"""A picture of one pixel."""


@pytest.fixture(scope="session")
def pixel() -> bytes:
    return PIXEL


@pytest.fixture(scope="session")
def trained(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]],
    tiny: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Model:
    """Items have a price: their number."""
    folder = tmp_path_factory.mktemp("served")
    log, items = walk()
    items = items.with_columns(price=pl.col("item").str.slice(1).cast(pl.Int64))
    data = prepare(log, items=items, out=folder / "data")
    return train(
        data, model="solid-duet", epochs=2, out=folder / "run", settings=tiny, progress=False
    )


@pytest.fixture
def version(trained: Model) -> Version:
    return Version.load(trained.run.path, max_batch=4)


@pytest.fixture
def ask(version: Version) -> Callable[..., Any]:
    """Send requests one after the other to a fresh service, and return their responses."""

    async def asked(
        *requests: tuple[str, str, dict[str, Any]],
        limits: Limits | None = None,
        token: str | None = None,
    ) -> list[httpx2.Response]:
        service = Service(version, limits or Limits())
        app = Application(service, token=token)
        service.start()
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://solidrec") as client:
            try:
                return [await client.request(*words[:2], **words[2]) for words in requests]
            finally:
                await service.stop()

    import asyncio

    return lambda *requests, **options: asyncio.run(asked(*requests, **options))


Started = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="session")
def started(trained: Model) -> Started:
    """Start a service as people do, with options; the context is its address."""

    @contextmanager
    def run(*options: object) -> Iterator[str]:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        words = [sys.executable, "-m", "solidrec", "serve", trained.run.path, "--port", port]
        log = subprocess.DEVNULL
        with subprocess.Popen([*map(str, [*words, *options])], stderr=log) as process:
            url = f"http://127.0.0.1:{port}/"
            try:
                with httpx2.Client() as client:
                    for _ in range(200):
                        with suppress(httpx2.TransportError):
                            if client.get(url + "ready").status_code == 200:
                                break
                        time.sleep(0.1)
                yield url
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0

    return run


@pytest.fixture(scope="session")
def address(
    trained: Model, started: Started, pixel: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A service with a picture of item i07 and another model beside it."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "i07.png").write_bytes(pixel)
    with started("--pictures", folder, "--beside", trained.run.path) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, as Debian packages it, driven by Playwright, which runs a loop while it lives."""
    api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium; apt-get install chromium")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=quiet)
        yield running
        running.close()

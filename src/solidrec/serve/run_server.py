"""Run the service: one process, a quiet stop that drops nothing."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import re
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, final

import uvicorn
from starlette.middleware.cors import CORSMiddleware

from solidrec.errors import StorageError, UsageError
from solidrec.serve.admin import make_admin
from solidrec.serve.app import Application
from solidrec.serve.limits import Limits
from solidrec.serve.memory import Memory
from solidrec.serve.page import pictures_in
from solidrec.serve.service import Service
from solidrec.serve.versions import Version

_SHORTEST_TOKEN = 16
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-fA-F:.]+\]|[^/\s:?#@\[\]]+)(:[0-9]{1,5})?")
_ALLOWED = ["authorization", "content-type"]
"""Headers that pages of other origins may send."""


@final
class _Server(uvicorn.Server):
    """A server that is first not ready for a while, and then stops."""

    def __init__(
        self, config: uvicorn.Config, service: Service, listens: Callable[[int], None]
    ) -> None:
        super().__init__(config)
        self.service, self.listens = service, listens

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say on which port: port 0 takes a free one."""
        await super().startup(sockets)
        if self.started:
            self.listens(int(self.servers[0].sockets[0].getsockname()[1]))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Be not ready, and close after the time that a proxy needs to notice; twice: at once.

        The process then ends with 0. Ctrl-C closes at once, and ends as it does elsewhere.
        """
        if sig == signal.SIGINT:
            super().handle_exit(sig, frame)
        elif self.service.draining:
            self.should_exit = self.force_exit = True
        else:
            self.service.draining = True
            asyncio.get_running_loop().call_later(self.service.limits.notice_seconds, self._close)

    def _close(self) -> None:
        self.should_exit = True


@final
class _Beside(uvicorn.Server):
    """A second server in the same process, which ends with the first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the first server."""
        yield


@final
@dataclass(frozen=True)
class Admin:
    """Where versions are changed: a `port` of this machine, a `token`, the folder of `models`."""

    port: int
    token: str
    models: Path


def serve(
    run: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    limits: Limits | None = None,
    admin: Admin | None = None,
    beside: Path | None = None,
    pictures: Path | None = None,
    memory: Memory | None = None,
    origins: Sequence[str] = (),
    impressions: Path | None = None,
    device: str = "cpu",
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Serve the model of a run folder over HTTP until the process is told to stop.

    Another one, `beside` it, is shown next to it on the page, with `pictures` of the items from a
    folder. Recent events are remembered by `memory`, by default in the process.
    Pages of other `origins` may ask, too. What is recommended is logged to the folder
    `impressions`, if one is given.

    Raises `UsageError` for an address that others can reach without a `token`, and as
    `Version.load`.
    """
    limits = Limits() if limits is None else limits
    if token is None and not _is_loopback(host):
        raise UsageError(
            f"--host {host}: others can reach it; give --token-file, whose token they have to send"
        )
    check_origins(origins)
    version = Version.load(run, device=device, max_batch=limits.max_batch)
    other = None
    if beside is not None:
        other = Version.load(beside, device=device, max_batch=limits.max_batch)
    service = Service(version, limits, beside=other, memory=memory, impressions=impressions)
    shown = None if pictures is None else pictures_in(pictures)
    app: Any = Application(service, token=token, pictures=shown)
    if origins:
        app = CORSMiddleware(
            app, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=_ALLOWED
        )

    def listens(port: int) -> None:
        at = shown_address(host, port)
        say(f"serving {version.name} on http://{at}, a page to try it; see /openapi.json")

    server = _Server(_config(app, host, port, limits), service, listens)
    second = None
    if admin is not None:
        inner = make_admin(service, models=admin.models, token=admin.token, device=device)
        second = _Beside(_config(inner, "127.0.0.1", admin.port, limits))
        say(f"versions are changed on http://127.0.0.1:{admin.port}/models")
    gc.collect()
    gc.freeze()  # what is there for good is not looked through again and again
    try:
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(_together(server, second))
    except SystemExit:
        at = shown_address(host, port)
        raise StorageError(f"{at}: cannot listen there; choose another --port") from None


def shown_address(host: str, port: int) -> str:
    """Return an address as URLs write it.

    >>> shown_address("::1", 8000), shown_address("127.0.0.1", 80)
    ('[::1]:8000', '127.0.0.1:80')
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_origins(origins: Sequence[str]) -> None:
    """Raise `UsageError` for what is no origin, which no browser would ever send.

    >>> check_origins(["https://shop.example", "http://localhost:3000", "*"])
    """
    for origin in origins:
        if origin not in ("*", "null") and not _ORIGIN.fullmatch(origin):
            raise UsageError(
                f"--cors {origin}: is no origin; write scheme and host without a path, as in "
                "https://shop.example"
            )


async def _together(server: _Server, second: _Beside | None) -> None:
    """Run the service, and the second server as long as it runs."""
    if second is None:
        await server.serve()
        return
    task = asyncio.create_task(second.serve())
    try:
        await server.serve()
    finally:
        second.should_exit = True
        await task


def _config(app: Any, host: str, port: int, limits: Limits) -> uvicorn.Config:
    """Return how a server listens."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=8192,
        timeout_graceful_shutdown=max(1, round(limits.drain_seconds)),
    )


def read_token(path: Path) -> str:
    """Return the token in a file.

    Raises `StorageError` if it cannot be read and `UsageError` if it is too short to be a secret.
    """
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path}: cannot be read as a token ({error})") from None
    if len(token) < _SHORTEST_TOKEN:
        raise UsageError(
            f"--token-file {path}: a token of {len(token)} characters is guessed; write at least "
            f"{_SHORTEST_TOKEN}"
        )
    return token


def _is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

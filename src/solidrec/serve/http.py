"""Read a request and send its answer, with as little around it as ASGI allows."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import final

from starlette.types import Receive, Scope, Send

from solidrec.serve.limits import Limits
from solidrec.serve.metrics import Metrics
from solidrec.serve.refusals import Refused

JSON, PACKET = "application/json", "application/vnd.solidrec.packet"
Work = Callable[[bytes], Awaitable[bytes]]
_log = logging.getLogger(__name__)
_TYPE, _PACKET = ((b"content-type", kind.encode()) for kind in (JSON, PACKET))
_FAULT = b'{"error":"a fault of the service"}'


@final
class _Gone(Exception):
    """Whoever asked has closed the connection."""


async def respond(
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    work: Work,
    packet: Work | None = None,
    limits: Limits,
    token: str | None,
    metrics: Metrics,
) -> None:
    """Read a request, do the work, send its answer or refusal, and count it.

    A request that accepts a packet gets what `packet` returns, if there is such an answer.
    """
    status, headers = 200, [_TYPE]
    try:
        given = dict(scope["headers"])
        check_token(given.get(b"authorization", b""), token)
        content = await _body(given, receive, limits)
        if packet is not None and _PACKET[1] in given.get(b"accept", b"").lower():
            content = await packet(content)
            headers = [_PACKET]
        else:
            content = await work(content)
    except Refused as refused:
        status, content = refused.status, refused.body()
        headers = [_TYPE, *_headers(refused)]
    except _Gone:
        metrics.response(scope["path"], 499)
        return
    except Exception:  # what nobody expected: without a word of the request
        _log.exception("a fault of the service")
        status, content, headers = 500, _FAULT, [_TYPE]
    headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
    metrics.response(scope["path"], status)


_BUSY = b'{"error":"too many requests wait; try again"}'
_BUSY_START = {
    "type": "http.response.start",
    "status": 503,
    "headers": [_TYPE, (b"retry-after", b"1"), (b"content-length", str(len(_BUSY)).encode())],
}


async def refuse_unread(scope: Scope, send: Send, metrics: Metrics) -> None:
    """Refuse a request with 503 before its body is read."""
    await send(_BUSY_START)
    await send({"type": "http.response.body", "body": _BUSY})
    metrics.response(scope["path"], 503)


def check_token(given: bytes, token: str | None) -> None:
    """Raise `Refused` unless an Authorization header has the token, compared in constant time.

    >>> check_token(b"Bearer secret", "secret")
    """
    if token is not None and not hmac.compare_digest(given, f"Bearer {token}".encode()):
        raise Refused(401, "a bearer token is needed")


async def _body(headers: dict[bytes, bytes], receive: Receive, limits: Limits) -> bytes:
    """Read the body; raise `Refused` if it is too large, too slow or of another type."""
    kind = headers.get(b"content-type", JSON.encode()).partition(b";")[0].strip().lower()
    if kind != JSON.encode():
        raise Refused(415, f"the body has to be {JSON}")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refused(415, "the body must not be compressed")
    if int(headers.get(b"content-length", b"0")) > limits.body_bytes:
        raise _too_large(limits)
    content = b""
    try:
        async with asyncio.timeout(limits.body_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                content += bytes(message.get("body", b""))
                if len(content) > limits.body_bytes:
                    raise _too_large(limits)
                if not message.get("more_body", False):
                    return content
    except TimeoutError:
        raise Refused(408, "the body did not arrive in time") from None


def _too_large(limits: Limits) -> Refused:
    return Refused(413, f"the body is larger than {limits.body_bytes:,} bytes")


def _headers(refused: Refused) -> list[tuple[bytes, bytes]]:
    """Return the headers of a refusal."""
    found = []
    if refused.retry_after is not None:
        found.append((b"retry-after", str(refused.retry_after).encode()))
    if refused.status in (408, 413):  # what is left of the body must not be read as a request
        found.append((b"connection", b"close"))
    return found

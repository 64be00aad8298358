"""Reading and answering by ASGI: bodies in parts, slow ones, lying lengths, callers who leave."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from solidrec.serve.http import check_token, respond
from solidrec.serve.limits import Limits
from solidrec.serve.metrics import Metrics
from solidrec.serve.refusals import Refused


def answered(
    *parts: bytes | float | None, headers: dict[str, str] | None = None, work: Any = None
) -> list[dict[str, Any]]:
    """Send the parts of a body: None is a caller who leaves, a number a pause in seconds."""
    waiting, sent = list(parts), list[dict[str, Any]]()

    async def receive() -> dict[str, Any]:
        while waiting and isinstance(waiting[0], float):
            await asyncio.sleep(waiting.pop(0))
        part = waiting.pop(0)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def echo(content: bytes) -> bytes:
        return content

    given = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    asyncio.run(
        respond(
            {"type": "http", "path": "/v1/x", "headers": given},
            receive,  # type: ignore[arg-type]
            send,  # type: ignore[arg-type]
            work=work or echo,
            limits=Limits(body_bytes=10, body_seconds=0.1),
            token=None,
            metrics=Metrics(),
        )
    )
    return sent


def status(sent: list[dict[str, Any]]) -> int:
    return int(sent[0]["status"])


def test_a_body_in_parts_is_one_body() -> None:
    sent = answered(b"ab", b"", b"cd")
    assert (status(sent), sent[1]["body"]) == (200, b"abcd")
    assert (b"content-length", b"4") in sent[0]["headers"]


def test_s8_an_endless_body_and_a_lying_length_are_refused() -> None:
    endless = answered(*[b"abc"] * 5)
    assert status(endless) == 413
    assert (b"connection", b"close") in endless[0]["headers"]
    assert status(answered(b"a", headers={"content-length": "999"})) == 413


def test_s9_a_body_that_does_not_arrive_is_given_up() -> None:
    assert status(answered(b"a", 0.5, b"b")) == 408


def test_s20_who_leaves_gets_no_answer() -> None:
    assert answered(b"a", None) == []


def test_what_nobody_expected_is_500_without_a_word_of_it() -> None:
    async def fails(content: bytes) -> bytes:
        raise RuntimeError("a secret")

    sent = answered(b"a", work=fails)
    assert status(sent) == 500
    assert b"secret" not in sent[1]["body"]


def test_s16_tokens_are_compared_whole() -> None:
    check_token(b"", None)
    check_token(b"Bearer abc", "abc")
    for wrong in (b"", b"Bearer ab", b"Bearer abcd", b"bearer abc", b"abc", b"\xff"):
        with pytest.raises(Refused):
            check_token(wrong, "abc")

"""A memory of users' events in Redis, for several processes: it may fail, the service may not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast, final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from solidrec.serve.memory import Memory, MemoryDown, MemoryLimits

_Result = TypeVar("_Result")
_SECONDS = 0.02
"""Longest wait for an answer."""
_FAILURES, _PAUSE = 5, 2.0
"""After so many failures in a row it is not asked for so many seconds."""
_LONGEST = 256
"""Longest id; what is longer was not written by this service."""


@final
class RedisMemory(Memory):
    """A list of item ids for each user, in the Redis of a URL, as in redis://127.0.0.1:6379/0.

    Its lists are as long, and live as long, as `limits` say. An answer that takes longer than 20 ms
    is a failure; after five in a row it is not asked for two seconds.
    """

    def __init__(
        self,
        url: str,
        limits: MemoryLimits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits, self.clock = limits or MemoryLimits(), clock
        # One try: whoever waits for a recommendation is not to wait for a second one.
        self.redis: Any = Redis.from_url(url, retry=Retry(NoBackoff(), 0))
        self.failures, self.closed_until = 0, 0.0

    async def events(self, user: str) -> list[str]:
        """Return the items of a user's events, oldest first; what is no id is left out."""
        found = await self._asked(self.redis.lrange(_key(user), -self.limits.events, -1))
        return [item for one in found if (item := _id(one)) is not None]

    async def add(self, user: str, items: Sequence[str]) -> None:
        """Remember new events of a user."""
        many = self.redis.pipeline(transaction=True)
        many.rpush(_key(user), *items)
        many.ltrim(_key(user), -self.limits.events, -1)
        many.pexpire(_key(user), round(1000 * self.limits.seconds))
        await self._asked(many.execute())

    async def forget(self, user: str) -> None:
        """Forget a user."""
        await self._asked(self.redis.delete(_key(user)))

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()

    async def _asked(self, answer: Awaitable[_Result]) -> _Result:
        """Return an answer of Redis, or raise `MemoryDown`."""
        if self.clock() < self.closed_until:
            cast(Any, answer).close()
            raise MemoryDown
        try:
            async with asyncio.timeout(_SECONDS):
                found = await answer
        except (RedisError, OSError, TimeoutError):
            self.failures += 1
            if self.failures >= _FAILURES:
                self.closed_until = self.clock() + _PAUSE
            raise MemoryDown from None
        self.failures = 0
        return found


def _key(user: str) -> str:
    return f"solidrec:events:{user}"


def _id(value: Any) -> str | None:
    """Return the id that a value of Redis is, None if it is none."""
    try:
        found = bytes(value).decode("utf-8")
    except (UnicodeDecodeError, TypeError):
        return None
    return found if 0 < len(found) <= _LONGEST else None

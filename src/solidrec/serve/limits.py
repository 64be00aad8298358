"""What the service takes and how long it works on it."""

from __future__ import annotations

from typing import final

from pydantic import Field

from solidrec.spec_base import Spec


@final
class Limits(Spec):
    """Limits of requests and of the queue.

    >>> Limits.parse({"queue": 8}).queue
    8
    """

    body_bytes: int = Field(256 * 1024, ge=1, description="largest body of a request")
    body_seconds: float = Field(3.0, gt=0, description="time in which a body has to arrive")
    queue: int = Field(256, ge=1, description="requests that may wait; more are refused (503)")
    deadline_seconds: float = Field(0.5, gt=0, description="time after which one is refused (504)")
    max_batch: int = Field(32, ge=1, description="requests that are answered together at most")
    max_wait_ms: float = Field(
        1.0,
        ge=0,
        description="time to wait, if the last batch was one of several, until as many are there",
    )
    drain_seconds: float = Field(30.0, ge=0, description="time that running requests get at a stop")
    notice_seconds: float = Field(
        0.5, ge=0, description="time between not being ready and closing, so that proxies notice"
    )

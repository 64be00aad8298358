"""What a user did is remembered, within bounds, and forgotten on request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest

from solidrec.api import Model
from solidrec.serve.limits import Limits
from solidrec.serve.memory import LocalMemory, Memory, MemoryDown, MemoryLimits
from solidrec.serve.service import Service


def run(work: Awaitable[Any]) -> Any:
    async def waited() -> Any:
        return await work

    return asyncio.run(waited())


def memory(now: list[float] | None = None, **limits: Any) -> LocalMemory:
    times = [0.0] if now is None else now
    return LocalMemory(MemoryLimits.parse(limits), clock=lambda: times[0])


def test_events_come_back_in_order_and_only_the_latest() -> None:
    kept = memory(events=3)
    assert run(kept.events("u")) == []
    run(kept.add("u", ["a", "b"]))
    run(kept.add("u", ["c", "d"]))
    run(kept.add("v", ["x"]))
    assert run(kept.events("u")) == ["b", "c", "d"]
    assert run(kept.events("v")) == ["x"]
    run(kept.forget("u"))
    run(kept.forget("nobody"))
    assert run(kept.events("u")) == []


def test_whoever_came_longest_ago_goes_first() -> None:
    kept = memory(users=2)
    for user in ("u", "v", "u", "w"):
        run(kept.add(user, ["a"]))
    assert [run(kept.events(user)) for user in "uvw"] == [["a", "a"], [], ["a"]]


def test_after_its_time_everything_is_gone() -> None:
    now = [0.0]
    kept = memory(now, seconds=10)
    run(kept.add("u", ["a"]))
    now[0] = 6
    run(kept.add("v", ["b"]))
    now[0] = 10
    assert run(kept.events("u")) == ["a"]
    now[0] = 10.1
    assert run(kept.events("u")) == []
    now[0] = 16.1
    run(kept.add("w", ["c"]))
    assert list(kept.kept) == ["w"]  # v is not only unread, but gone


def test_a_list_that_is_returned_can_be_changed() -> None:
    kept = memory()
    run(kept.add("u", ["a"]))
    run(kept.events("u")).append("b")
    assert run(kept.events("u")) == ["a"]


def test_remembered_events_come_before_the_history_of_a_request(ask: Any, trained: Model) -> None:
    def post(path: str, **body: Any) -> tuple[str, str, dict[str, Any]]:
        return "POST", f"/v1/{path}", {"json": body}

    added, answer, gone, after, other = ask(
        post("events", user="ü/1", items=["i03", "x"]),
        post("recommend", user="ü/1", history=["i09"], k=5),
        ("DELETE", "/v1/users/%C3%BC%2F1", {}),
        post("recommend", user="ü/1", history=["i09"], k=5),
        post("recommend", history=["i09"], k=5),
    )
    assert added.json()["known"] == 1
    expected = [one["item"] for one in trained.recommend(["i03", "i09"], 5).items]
    found = answer.json()
    assert [one["item"] for one in found["items"]] == expected
    assert (found["remembered"], found["ignored"]) == (2, ["x"])
    assert gone.status_code == 204
    assert after.json()["remembered"] == 0
    assert after.json()["items"] == other.json()["items"]
    assert "remembered" not in other.json()


class Down(Memory):
    """A memory that never answers."""

    async def events(self, user: str) -> list[str]:
        raise MemoryDown

    async def add(self, user: str, items: Sequence[str]) -> None:
        raise MemoryDown

    async def forget(self, user: str) -> None:
        raise MemoryDown

    async def close(self) -> None:
        pass


def test_s19_a_memory_that_is_down_costs_its_events_and_no_answer(version: Any) -> None:
    async def asked() -> tuple[bytes, list[int], bytes]:
        from solidrec.serve.refusals import Refused

        service = Service(version, Limits(), memory=Down())
        service.start()
        answer = await service.recommend(b'{"history": ["i03"], "user": "u"}')
        codes = []
        for work in (service.events(b'{"user": "u", "items": ["i03"]}'), service.forget("u")):
            with pytest.raises(Refused) as caught:
                await work
            codes.append(caught.value.status)
        await service.stop()
        return answer, codes, service.metrics.text()

    answer, codes, metrics = asyncio.run(asked())
    assert b'"remembered":null' in answer
    assert b'"item":' in answer
    assert codes == [503, 503]
    assert b"solidrec_memory_failures_total 3.0" in metrics

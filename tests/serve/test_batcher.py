"""Micro-batching: together as alone, nobody waits for ever, one bad question harms nobody else."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from solidrec.recommend.questions import Question, Recommendation
from solidrec.recommend.rules import Rules
from solidrec.serve.batcher import Batcher
from solidrec.serve.limits import Limits
from solidrec.serve.metrics import Metrics
from solidrec.serve.refusals import Refused


class Model:
    """Answers with the history, and notes the sizes of the batches."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.sizes = seconds, list[int]()
        self.go = threading.Event()
        self.go.set()

    def answer(self, questions: Sequence[Question]) -> list[Recommendation]:
        self.go.wait(10)
        time.sleep(self.seconds)
        self.sizes.append(len(questions))
        if any(question.history == ("bad",) for question in questions):
            raise ValueError("bad")
        return [Recommendation([{"item": one.history[0]}], [], None) for one in questions]


async def ask(model: Model, *questions: Question, **limits: Any) -> list[Any]:
    """Ask all at once; an exception is its own answer."""
    batcher = Batcher(Limits.parse(limits), Metrics())
    batcher.start()
    tasks = [asyncio.create_task(batcher.ask(one, model.answer)) for one in questions]
    found = await asyncio.gather(*tasks, return_exceptions=True)
    await batcher.stop()
    return found


def questions(count: int) -> list[Question]:
    return [Question((f"i{number}",)) for number in range(count)]


def items(found: list[Any]) -> list[str]:
    return [one.items[0]["item"] for one in found]


def test_s18_everybody_gets_their_own_answer_in_few_batches() -> None:
    model = Model()
    found = asyncio.run(ask(model, *questions(64), max_batch=16))
    assert items(found) == [f"i{number}" for number in range(64)]
    assert max(model.sizes) <= 16
    assert sum(model.sizes) == 64
    assert len(model.sizes) <= 8


def test_questions_with_candidates_form_batches_of_their_own() -> None:
    seen: list[set[bool]] = []

    class Noting(Model):
        def answer(self, questions: Sequence[Question]) -> list[Recommendation]:
            seen.append({one.rules.candidates is None for one in questions})
            return super().answer(questions)

    mixed = [
        Question((f"i{number}",), rules=Rules(candidates=("c",)) if number % 2 else Rules())
        for number in range(8)
    ]
    found = asyncio.run(ask(Noting(), *mixed))
    assert items(found) == [f"i{number}" for number in range(8)]
    assert all(len(kinds) == 1 for kinds in seen)


def test_a_question_alone_is_answered_at_once() -> None:
    started = time.monotonic()
    assert items(asyncio.run(ask(Model(), *questions(1)))) == ["i0"]
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(("wait", "sizes"), [(500, [2, 2]), (0, [2, 1, 1])])
def test_after_a_batch_of_several_as_many_are_waited_for(wait: float, sizes: list[int]) -> None:
    model = Model()

    async def late() -> list[Any]:
        batcher = Batcher(Limits(max_wait_ms=wait), Metrics())
        batcher.start()
        first = [asyncio.create_task(batcher.ask(one, model.answer)) for one in questions(2)]
        await asyncio.gather(*first)
        third = asyncio.create_task(batcher.ask(Question(("a",)), model.answer))
        await asyncio.sleep(0.05)
        fourth = asyncio.create_task(batcher.ask(Question(("b",)), model.answer))
        found = await asyncio.gather(third, fourth)
        await batcher.stop()
        return [*found]

    assert items(asyncio.run(late())) == ["a", "b"]
    assert model.sizes == sizes


def test_nobody_waits_longer_than_said_for_others_who_do_not_come() -> None:
    async def alone() -> float:
        model, batcher = Model(), Batcher(Limits(max_wait_ms=30), Metrics())
        batcher.start()
        tasks = [asyncio.create_task(batcher.ask(one, model.answer)) for one in questions(3)]
        await asyncio.gather(*tasks)
        started = time.monotonic()
        await batcher.ask(Question(("a",)), model.answer)
        took = time.monotonic() - started
        await batcher.ask(Question(("b",)), model.answer)  # the last batch was one alone
        await batcher.stop()
        assert model.sizes == [3, 1, 1]
        return took

    assert 0.02 < asyncio.run(alone()) < 0.5


def test_s10_a_full_queue_refuses_and_keeps_its_word() -> None:
    model = Model(0.02)
    found = asyncio.run(ask(model, *questions(30), queue=10, max_batch=4))
    refused = [one for one in found if isinstance(one, Refused)]
    answered = [one for one in found if isinstance(one, Recommendation)]
    assert {one.status for one in refused} == {503}
    assert {one.retry_after for one in refused} == {1}
    assert len(answered) == 10
    assert len(answered) + len(refused) == 30


def test_who_waits_too_long_is_told() -> None:
    model = Model(0.1)
    found = asyncio.run(ask(model, *questions(4), max_batch=1, deadline_seconds=0.15))
    assert isinstance(found[0], Recommendation)
    assert isinstance(found[-1], Refused)
    assert found[-1].status == 504


def test_one_bad_question_does_not_harm_the_others() -> None:
    found = asyncio.run(ask(Model(), Question(("a",)), Question(("bad",)), Question(("b",))))
    assert isinstance(found[1], ValueError)
    assert items([found[0], found[2]]) == ["a", "b"]


def test_s20_who_has_gone_is_not_answered() -> None:
    model = Model()

    async def gone() -> None:
        model.go.clear()
        batcher = Batcher(Limits(max_batch=1), Metrics())
        batcher.start()
        first = asyncio.create_task(batcher.ask(Question(("a",)), model.answer))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(batcher.ask(Question(("b",)), model.answer))
        await asyncio.sleep(0.05)
        second.cancel()
        model.go.set()
        await first
        await asyncio.sleep(0.05)
        await batcher.stop()

    asyncio.run(gone())
    assert model.sizes == [1]


def test_s14_a_stop_refuses_what_waits() -> None:
    async def stopped() -> Any:
        batcher = Batcher(Limits(), Metrics())  # never started: nobody takes from the queue
        task = asyncio.create_task(batcher.ask(Question(("a",)), Model().answer))
        await asyncio.sleep(0)
        await batcher.stop()
        return (await asyncio.gather(task, return_exceptions=True))[0]

    refused = asyncio.run(stopped())
    assert isinstance(refused, Refused)
    assert refused.status == 503


@pytest.mark.parametrize("versions", [2])
def test_s12_a_batch_asks_one_version(versions: int) -> None:
    one, other = Model(), Model()

    async def both() -> list[Any]:
        batcher = Batcher(Limits(), Metrics())
        batcher.start()
        tasks = [
            asyncio.create_task(batcher.ask(each, (one, other)[number % versions].answer))
            for number, each in enumerate(questions(10))
        ]
        found = await asyncio.gather(*tasks)
        await batcher.stop()
        return [*found]

    assert items(asyncio.run(both())) == [f"i{number}" for number in range(10)]
    assert sum(one.sizes) == sum(other.sizes) == 5

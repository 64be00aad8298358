"""Micro-batching: requests that arrive while the model works are answered together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, final

from solidrec.recommend.questions import Question, Recommendation
from solidrec.serve.limits import Limits
from solidrec.serve.metrics import Metrics
from solidrec.serve.refusals import Refused

Answer = Callable[[Sequence[Question]], list[Recommendation]]


class _Waiting(NamedTuple):
    """A request in the queue."""

    question: Question
    answer: Answer
    done: asyncio.Future[Recommendation]
    since: float


@final
class Batcher:
    """Answers questions in one thread, all that wait at once, at most ``limits.max_batch``.

    Questions with candidates form batches of their own, so that an answer does not depend on who
    asks at the same time. A question that comes alone is answered at once. Where several were
    there a moment ago, a batch waits for ``limits.max_wait_ms`` at most, until as many are again: a
    batch costs hardly more than a question.
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits, self.metrics = limits, metrics
        self.waiting: deque[_Waiting] = deque()
        self.thread = ThreadPoolExecutor(1, "solidrec-answers")
        self.wake = asyncio.Event()
        self.full_since: float | None = None
        self.task: asyncio.Task[None] | None = None
        self.busy = self.wanted = 0  # requests that were there last, or are waited for

    def start(self) -> None:
        """Begin to answer; called in the event loop."""
        self.task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Refuse what waits and end the thread."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        for one in self.waiting:
            if not one.done.done():
                one.done.set_exception(Refused(503, "the service stops", retry_after=1))
        self.waiting.clear()
        self.thread.shutdown(wait=True)

    def is_full(self) -> bool:
        """Return whether as many wait as may, and note since when."""
        if len(self.waiting) < self.limits.queue:
            return False
        self.full_since = self.full_since or time.monotonic()
        return True

    async def ask(self, question: Question, answer: Answer) -> Recommendation:
        """Return the answer to a question.

        Raises `Refused`: 503 if too many wait, 504 if it waited too long.
        """
        if self.is_full():
            raise Refused(503, "too many requests wait; try again", retry_after=1)
        self.full_since = None
        done: asyncio.Future[Recommendation] = asyncio.get_running_loop().create_future()
        self.waiting.append(_Waiting(question, answer, done, time.perf_counter()))
        if 0 < self.wanted <= len(self.waiting) and not self.enough.done():
            self.enough.set_result(None)
        self.wake.set()
        return await done

    async def _run(self) -> None:
        """Answer what waits, batch after batch."""
        loop = asyncio.get_running_loop()
        while True:
            await self.wake.wait()
            await self._company()
            batch = self._taken()
            if not self.waiting:
                self.wake.clear()
            if batch:
                found = await loop.run_in_executor(self.thread, self._answered, batch)
                self.busy = len(batch) + len(self.waiting)
                for one, answer in zip(batch, found, strict=True):
                    _settle(one.done, answer)

    async def _company(self) -> None:
        """Wait a little, if several were there a moment ago, until as many are here again."""
        missing = min(self.busy, self.limits.max_batch) - len(self.waiting)
        if self.busy < 2 or missing <= 0 or not self.limits.max_wait_ms:
            return
        self.enough = asyncio.get_running_loop().create_future()
        self.wanted = len(self.waiting) + missing
        await asyncio.wait([self.enough], timeout=self.limits.max_wait_ms / 1000)
        self.wanted = 0

    def _taken(self) -> list[_Waiting]:
        """Take the next batch out of the queue; all of it asks the same version of the model."""
        now, batch = time.perf_counter(), list[_Waiting]()
        while self.waiting and len(batch) < self.limits.max_batch:
            one = self.waiting[0]
            if batch and (one.answer != batch[0].answer or _kind(one) != _kind(batch[0])):
                break
            self.waiting.popleft()
            if one.done.done():  # whoever asked has gone
                continue
            waited = now - one.since
            self.metrics.observe("queue", waited)
            if waited > self.limits.deadline_seconds:
                one.done.set_exception(Refused(504, "no answer in time; try again"))
                continue
            batch.append(one)
        return batch

    def _answered(self, batch: Sequence[_Waiting]) -> list[Recommendation | Exception]:
        """Answer a batch in the thread; one bad question does not harm the others."""
        answer, questions = batch[0].answer, [one.question for one in batch]
        started = time.perf_counter()
        try:
            return [*answer(questions)]
        except Exception:
            return [_alone(answer, question) for question in questions]
        finally:
            self.metrics.batch(len(batch), time.perf_counter() - started)


def _kind(one: _Waiting) -> bool:
    """Return whether a question names candidates."""
    return one.question.rules.candidates is not None


def _alone(answer: Answer, question: Question) -> Recommendation | Exception:
    try:
        return answer([question])[0]
    except Exception as error:
        return error


def _settle(done: asyncio.Future[Recommendation], found: Recommendation | Exception) -> None:
    """Give an answer to whoever waits, if anybody still does."""
    if done.done():
        return
    if isinstance(found, Exception):
        done.set_exception(found)
    else:
        done.set_result(found)

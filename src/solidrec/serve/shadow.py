"""A version that answers beside the one that is served, and whose answers nobody gets."""

from __future__ import annotations

import asyncio
from typing import final

from solidrec.rank_overlap import rank_biased_overlap
from solidrec.recommend.questions import Question, Recommendation
from solidrec.serve.batcher import Batcher
from solidrec.serve.metrics import Metrics
from solidrec.serve.versions import Version


@final
class Shadow:
    """Asks a version a share of the questions, and notes how alike its answers are.

    It is asked after the answer was given, and not at all while many requests wait.
    """

    def __init__(self, version: Version, *, share: float, metrics: Metrics) -> None:
        self.version, self.share, self.metrics = version, share, metrics
        self.owed = 0.0
        self.tasks: set[asyncio.Task[None]] = set()

    def ask(self, batcher: Batcher, question: Question, given: Recommendation) -> None:
        """Ask in the background, if it is the turn of this question."""
        self.owed += self.share
        if self.owed < 1:
            return
        self.owed -= 1
        if len(batcher.waiting) >= batcher.limits.max_batch:
            return
        task = asyncio.get_running_loop().create_task(self._compare(batcher, question, given))
        self.tasks.add(task)
        task.add_done_callback(self._done)

    async def _compare(self, batcher: Batcher, question: Question, given: Recommendation) -> None:
        answer = await batcher.ask(question, self.version.answer)
        one, other = ([item["item"] for item in each.items] for each in (given, answer))
        self.metrics.shadow(rank_biased_overlap(one, other))

    def _done(self, task: asyncio.Task[None]) -> None:
        """Forget a task; what it could not answer harms nobody."""
        self.tasks.discard(task)
        if not task.cancelled():
            task.exception()

"""What the service does with a request, without anything of HTTP but bytes in and bytes out."""

from __future__ import annotations

import asyncio
import base64
import time
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, final

import orjson
from pydantic import ValidationError

from solidrec.errors import SolidrecError
from solidrec.kit.packet import encode, model_id
from solidrec.recommend.because import reasons
from solidrec.recommend.find import found_items
from solidrec.recommend.inspect_user import inspected
from solidrec.recommend.parameters import generated
from solidrec.recommend.questions import Question, Recommendation
from solidrec.runs import WEIGHTS
from solidrec.serve.batcher import Batcher
from solidrec.serve.impressions import Impressions
from solidrec.serve.limits import Limits
from solidrec.serve.memory import LocalMemory, Memory, MemoryDown
from solidrec.serve.metrics import Metrics
from solidrec.serve.refusals import Refused, of_error, of_validation
from solidrec.serve.schema import (
    Body,
    EventsBody,
    InspectBody,
    ItemsBody,
    ParametersBody,
    RecommendBody,
    ScoreBody,
    SimilarBody,
)
from solidrec.serve.shadow import Shadow
from solidrec.serve.versions import Version

_Body = TypeVar("_Body", bound=Body)
_FULL_SECONDS = 5.0
"""A queue that is full for longer makes the service not ready."""


@final
class Service:
    """Answers requests with the current version of a model."""

    def __init__(
        self,
        version: Version,
        limits: Limits,
        *,
        beside: Version | None = None,
        memory: Memory | None = None,
        impressions: Path | None = None,
    ) -> None:
        self.version, self.beside = version, beside
        # More would be computed one after another, and all of them answered with the last.
        most = min(limits.max_batch, version.together)
        self.limits = limits.model_copy(update={"max_batch": most})
        self.memory = LocalMemory() if memory is None else memory
        self.previous: Version | None = None
        self.values: dict[str, dict[str, Any]] = {}
        self.removed: set[str] = set()
        self.restored: set[str] = set()
        self.metrics = Metrics()
        self.metrics.version(version.name)
        self.impressions: Impressions | None = None
        if impressions is not None:
            self.impressions = Impressions(impressions, dropped=self.metrics.dropped)
        self.shadow: Shadow | None = None
        self.batcher: Batcher | None = None
        self.draining = False
        self.apart_now = 0

    def start(self) -> None:
        """Begin to answer; called in the event loop."""
        self.batcher = Batcher(self.limits, self.metrics)
        self.batcher.start()
        if self.impressions is not None:
            self.impressions.start()

    async def stop(self) -> None:
        """Answer nothing more."""
        if self.batcher is not None:
            await self.batcher.stop()
            self.batcher = None
        if self.impressions is not None:
            await self.impressions.stop()
        await self.memory.close()

    def switch(self, version: Version) -> None:
        """Let another version answer from the next request on; the one before is kept.

        What was changed about items meanwhile holds for it, too, in the columns that it has.
        """
        self.bring_up_to_date(version)
        self.version, self.previous = version, self.version
        self.metrics.version(version.name)

    def bring_up_to_date(self, version: Version) -> None:
        """Change the items of a version, as they were loaded, as those of the service were."""
        version.change_all(self.values, remove=self.removed, restore=self.restored)

    def names(self) -> dict[str, str | None]:
        """Return the names of the version that answers and of the one before."""
        previous = None if self.previous is None else self.previous.name
        shadow = None if self.shadow is None else self.shadow.version.name
        return {"current": self.version.name, "previous": previous, "shadow": shadow}

    @property
    def ready(self) -> bool:
        """Whether requests should be sent here."""
        if self.batcher is None or self.draining:
            return False
        full = self.batcher.full_since
        return full is None or time.monotonic() - full < _FULL_SECONDS

    @property
    def is_full(self) -> bool:
        """Whether a question would be refused now, so that nothing of it need be read."""
        return self.batcher is not None and self.batcher.is_full()

    def parsed(self, kind: type[_Body], content: bytes) -> _Body:
        """Return a body; raise `Refused` for one that is no JSON or of another form."""
        started = time.perf_counter()
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            raise of_validation(error, kind) from None
        finally:
            self.metrics.observe("parse", time.perf_counter() - started)

    def written(self, answer: dict[str, Any]) -> bytes:
        """Return an answer as JSON."""
        started = time.perf_counter()
        found = orjson.dumps(answer)
        self.metrics.observe("write", time.perf_counter() - started)
        return found

    async def asked(self, question: Question, version: Version) -> Recommendation:
        """Return the answer of a version to a question; raise `Refused`."""
        if self.batcher is None:
            raise Refused(503, "the service is not ready", retry_after=1)
        try:
            version.check(question.rules)
            answer = await self.batcher.ask(question, version.answer)
        except SolidrecError as error:
            raise of_error(error) from None
        if answer.fallback is not None:
            self.metrics.fallback()
        return answer

    async def recommend(self, content: bytes) -> bytes:
        """Answer ``/v1/recommend``."""
        body, version = self.parsed(RecommendBody, content), self.version
        return await self._recommended(body, version)

    async def recommend_beside(self, content: bytes) -> bytes:
        """Answer ``/v1/beside``: as `recommend`, by the model that is shown beside this one."""
        if self.beside is None:
            raise Refused(404, "no model is served beside this one")
        return await self._recommended(self.parsed(RecommendBody, content), self.beside)

    async def _recommended(self, body: RecommendBody, version: Version) -> bytes:
        remembered = None if body.user is None else await self._remembered(body.user)
        question = body.question(remembered or ())
        answer = await self.asked(question, version)
        if self.shadow is not None and self.batcher is not None and version is self.version:
            self.shadow.ask(self.batcher, question, answer)
        if self.impressions is not None:
            named = [one["item"] for one in answer.items]
            self.impressions.add(body.user, body.arm, version.name, named, answer.fallback)
        found = answer.to_json()
        if body.because:
            named = [one["item"] for one in answer.items]
            why = await self.apart(partial(reasons, version.engine, question.history, named))
            found["items"] = [
                one | {"because": own} for one, own in zip(answer.items, why, strict=True)
            ]
        if body.user is not None:
            found["remembered"] = None if remembered is None else len(remembered)
        return self.written(found | {"model_version": version.name})

    async def _remembered(self, user: str) -> list[str] | None:
        """Return the events of a user, or None where the memory is down: nobody waits for it."""
        try:
            return await self.memory.events(user)
        except MemoryDown:
            self.metrics.memory_down()
            return None

    async def events(self, content: bytes) -> bytes:
        """Answer ``/v1/events``."""
        body, version = self.parsed(EventsBody, content), self.version
        try:
            await self.memory.add(body.user, body.items)
        except MemoryDown:
            self.metrics.memory_down()
            raise Refused(503, "the memory of events does not answer", retry_after=1) from None
        known = len(version.engine.run.items.known(body.items)[0])
        return self.written({"known": known, "model_version": version.name})

    async def forget(self, user: str) -> None:
        """Forget a user; raise `Refused` where the memory is down."""
        try:
            await self.memory.forget(user)
        except MemoryDown:
            self.metrics.memory_down()
            raise Refused(503, "the memory of events does not answer", retry_after=1) from None

    async def inspect(self, content: bytes) -> bytes:
        """Answer ``/v1/inspect``."""
        body, version = self.parsed(InspectBody, content), self.version
        found = await self.apart(partial(inspected, version.engine, body.history))
        return self.written(found | {"model_version": version.name})

    async def search(self, text: str, k: int) -> bytes:
        """Answer ``GET /v1/search``: items whose title or id holds a text, the popular first."""
        version = self.version
        items = await self.apart(partial(found_items, version.engine, text, k))
        return self.written({"items": items, "model_version": version.name})

    async def score(self, content: bytes) -> bytes:
        """Answer ``/v1/score``: the items in the order in which they were asked."""
        body, version = self.parsed(ScoreBody, content), self.version
        answer = await self.asked(body.question(), version)
        of_item = {item["item"]: item for item in answer.items}
        items = [of_item[name] for name in dict.fromkeys(body.items) if name in of_item]
        named = {"items": items, "ignored": answer.ignored, "fallback": answer.fallback}
        return self.written(named | {"model_version": version.name})

    async def similar(self, content: bytes) -> bytes:
        """Answer ``/v1/similar``."""
        body, version = self.parsed(SimilarBody, content), self.version
        if not version.engine.run.items.index(body.item):
            raise Refused(404, "the model does not know this item")
        items = await self.apart(partial(version.engine.similar, body.item, body.k))
        return self.written({"items": items, "model_version": version.name})

    async def parameters(self, content: bytes) -> bytes:
        """Answer ``/v1/parameters``: each tensor as base64 of little-endian float32."""
        body, version = self.parsed(ParametersBody, content), self.version
        tensors = await self.apart(partial(generated, version.engine, body.history))
        named = {
            slot: {
                "shape": list(array.shape),
                "dtype": "float32",
                "data": base64.b64encode(array.astype("<f4").tobytes()).decode("ascii"),
            }
            for slot, array in tensors.items()
        }
        known, ignored = version.engine.run.items.known(body.history)
        fallback = None if known else "empty_history"
        answer = {"parameters": named, "ignored": ignored, "fallback": fallback}
        return self.written(answer | {"model_version": version.name})

    async def packet(self, content: bytes) -> bytes:
        """Answer ``/v1/parameters`` with a packet (see `kit.packet`)."""
        body, version = self.parsed(ParametersBody, content), self.version
        return bytes(await self.apart(partial(_packet, version, body)))

    async def items(self, content: bytes) -> bytes:
        """Answer ``PATCH /v1/items``: the ids that are not known."""
        body, version = self.parsed(ItemsBody, content), self.version
        try:
            unknown = version.change_items(body.set, remove=body.remove, restore=body.restore)
        except SolidrecError as error:
            raise of_error(error) from None
        for name, own in body.set.items():
            self.values[name] = self.values.get(name, {}) | own
        self.removed = (self.removed | {*body.remove}) - {*body.restore}
        self.restored = (self.restored | {*body.restore}) - {*body.remove}
        for other in (self.beside, self.shadow and self.shadow.version):
            if other is not None:
                self.bring_up_to_date(other)
        return self.written({"unknown": unknown, "model_version": version.name})

    async def apart(self, work: Any) -> Any:
        """Do work in the thread of the model, so that one thing at a time uses it.

        Raises `Refused` as `asked` does: 503 if much such work waits, 504 if it waited too long.
        """
        if self.batcher is None:
            raise Refused(503, "the service is not ready", retry_after=1)
        if self.apart_now >= self.limits.max_batch:
            raise Refused(503, "too many requests wait; try again", retry_after=1)
        since = time.perf_counter()

        def in_time() -> Any:
            if time.perf_counter() - since > self.limits.deadline_seconds:
                raise Refused(504, "no answer in time; try again")
            return work()

        self.apart_now += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self.batcher.thread, in_time)
        finally:
            self.apart_now -= 1

    def models(self) -> dict[str, Any]:
        """Return what ``GET /v1/models`` tells of the version that answers."""
        run = self.version.engine.run
        return {
            **self.names(),
            "model": run.spec.model.name,
            "backbone": run.spec.model.backbone.name,
            "items": len(run.items),
            "beside": None if self.beside is None else self.beside.name,
            "columns": {
                name: str(dtype)
                for name, dtype in self.version.engine.attributes.frame.schema.items()
            },
        }


def _packet(version: Version, body: ParametersBody) -> bytes:
    """Return the packet of a history; the group weights, from which it may differ, are kept."""
    return encode(
        generated(version.engine, body.history),
        model=model_id(version.engine.run.manifest["files"][WEIGHTS]["sha256"]),
        created=int(time.time()),
        precision=body.precision,
        base=version.group if body.delta else None,
    )

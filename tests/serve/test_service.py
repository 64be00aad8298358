"""The service: ready only while it answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from functools import partial

import pytest

from solidrec.serve.limits import Limits
from solidrec.serve.refusals import Refused
from solidrec.serve.service import Service
from solidrec.serve.versions import Version


def test_s15_it_is_ready_while_it_answers_and_the_queue_moves(version: Version) -> None:
    async def states() -> list[bool]:
        service = Service(version, Limits())
        found = [service.ready]
        service.start()
        found.append(service.ready)
        assert service.batcher is not None
        service.batcher.full_since = time.monotonic() - 4
        found.append(service.ready)
        service.batcher.full_since = time.monotonic() - 6
        found.append(service.ready)
        service.batcher.full_since = None
        service.draining = True
        found.append(service.ready)
        await service.stop()
        service.draining = False
        return [*found, service.ready]

    assert asyncio.run(states()) == [False, True, True, False, False, False]


def test_before_the_start_requests_are_refused(version: Version) -> None:
    service = Service(version, Limits())
    for work in (service.recommend(b'{"history": []}'), service.parameters(b'{"history": []}')):
        with pytest.raises(Refused) as caught:
            asyncio.run(work)
        assert caught.value.status == 503


def test_what_it_does_is_counted(version: Version) -> None:
    async def asked() -> str:
        service = Service(version, Limits())
        service.start()
        await service.recommend(b'{"history": []}')
        answer = json.loads(await service.recommend(b'{"history": ["i03"], "k": 2}'))
        assert len(answer["items"]) == 2
        await service.stop()
        return service.metrics.text().decode()

    text = asyncio.run(asked())
    assert "solidrec_fallbacks_total 1.0" in text
    for stage in ("parse", "queue", "answer", "write"):
        assert f'solidrec_stage_seconds_count{{stage="{stage}"}} 2.0' in text


def test_work_beside_the_queue_is_bounded_and_has_a_deadline(version: Version) -> None:
    """A crowd of slow questions is refused, and does not keep others waiting for long."""

    async def asked() -> tuple[Counter[int], float]:
        service = Service(version, Limits.parse({"deadline_seconds": 0.2, "max_batch": 8}))
        service.start()

        async def slow() -> int:
            try:
                await service.apart(partial(time.sleep, 0.1))
            except Refused as refused:
                return refused.status
            return 200

        crowd = [asyncio.create_task(slow()) for _ in range(30)]
        await asyncio.sleep(0)
        started = time.perf_counter()
        await service.recommend(b'{"history": ["i03"]}')
        waited = time.perf_counter() - started
        counts = Counter(await asyncio.gather(*crowd))
        await service.stop()
        return counts, waited

    counts, waited = asyncio.run(asked())
    assert counts[503] == 30 - 8
    assert 1 <= counts[200] <= 4
    assert counts[504] == 8 - counts[200]
    assert waited < 1


def test_what_a_model_cannot_compute_together_is_no_batch(
    version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of several blocks would keep its first questions waiting for the last."""
    assert Service(version, Limits()).limits.max_batch == 32
    monkeypatch.setattr(type(version.engine.score), "block", lambda self, length: 8)
    assert Service(version, Limits()).limits.max_batch == 8
    assert Service(version, Limits(max_batch=2)).limits.max_batch == 2

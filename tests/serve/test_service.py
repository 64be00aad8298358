"""The service: ready only while it answers."""

from __future__ import annotations

import asyncio
import json
import time

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

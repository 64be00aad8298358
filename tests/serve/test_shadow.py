"""A shadow is asked its share, its overlap is shown, and it harms no answer."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

import pytest

from solidrec.serve.limits import Limits
from solidrec.serve.service import Service
from solidrec.serve.shadow import Shadow

BODY = b'{"history": ["i03", "i09"], "k": 5}'


def metrics_after(version: Any, shadow: Any, *, share: float, requests: int = 10) -> str:
    async def asked() -> str:
        service = Service(version, Limits())
        service.shadow = Shadow(shadow, share=share, metrics=service.metrics)
        service.start()
        answers = [await service.recommend(BODY) for _ in range(requests)]
        named = [[one["item"] for one in json.loads(each)["items"]] for each in answers]
        assert all(one == named[0] for one in named)
        while service.shadow.tasks:
            await asyncio.sleep(0.01)
        await service.stop()
        return service.metrics.text().decode()

    return asyncio.run(asked())


@pytest.mark.parametrize(("share", "asked"), [(1.0, 10), (0.25, 2), (0.05, 0)])
def test_it_is_asked_its_share_and_agrees_with_itself(
    version: Any, share: float, asked: int
) -> None:
    text = metrics_after(version, version, share=share)
    assert f"solidrec_shadow_overlap_count {asked}.0" in text
    assert f"solidrec_shadow_overlap_sum {float(asked)}" in text


class Broken:
    """A version that cannot answer."""

    name = "broken"

    def answer(self, questions: Any) -> Any:
        raise ValueError("broken")


def test_a_shadow_that_breaks_harms_nobody(version: Any) -> None:
    text = metrics_after(version, Broken(), share=1.0)
    assert "solidrec_shadow_overlap_count 0.0" in text


def test_while_many_wait_it_is_left_alone(version: Any) -> None:
    async def asked() -> int:
        service = Service(version, Limits())
        shadow = Shadow(version, share=1.0, metrics=service.metrics)
        service.start()
        batcher: Any = service.batcher
        crowded = dataclasses.make_dataclass("Crowded", ["waiting", "limits"])
        full = crowded([None] * batcher.limits.max_batch, batcher.limits)
        shadow.ask(full, None, None)  # type: ignore[arg-type]
        count = len(shadow.tasks)
        await service.stop()
        return count

    assert asyncio.run(asked()) == 0

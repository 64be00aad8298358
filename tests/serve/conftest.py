"""A service of a small run, and a client that asks it without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import polars as pl
import pytest

from solidrec.api import Model, prepare, train
from solidrec.serve.app import Application
from solidrec.serve.limits import Limits
from solidrec.serve.service import Service
from solidrec.serve.versions import Version


@pytest.fixture(scope="session")
def trained(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]],
    tiny: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Model:
    """Items have a price: their number."""
    folder = tmp_path_factory.mktemp("served")
    log, items = walk()
    items = items.with_columns(price=pl.col("item").str.slice(1).cast(pl.Int64))
    data = prepare(log, items=items, out=folder / "data")
    return train(
        data, model="solid-duet", epochs=2, out=folder / "run", settings=tiny, progress=False
    )


@pytest.fixture
def version(trained: Model) -> Version:
    return Version.load(trained.run.path, max_batch=4)


@pytest.fixture
def ask(version: Version) -> Callable[..., Any]:
    """Send requests one after the other to a fresh service, and return their responses."""

    async def asked(
        *requests: tuple[str, str, dict[str, Any]],
        limits: Limits | None = None,
        token: str | None = None,
    ) -> list[httpx2.Response]:
        service = Service(version, limits or Limits())
        app = Application(service, token=token)
        service.start()
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://solidrec") as client:
            try:
                return [await client.request(*words[:2], **words[2]) for words in requests]
            finally:
                await service.stop()

    import asyncio

    return lambda *requests, **options: asyncio.run(asked(*requests, **options))

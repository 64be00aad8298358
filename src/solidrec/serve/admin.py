"""Change the model of a running service: load another version, or go back to the one before.

It listens on a port of its own, on this machine alone, and every request needs its own token.
"""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from solidrec.errors import SolidrecError
from solidrec.serve.http import JSON, check_token
from solidrec.serve.refusals import Refused
from solidrec.serve.service import Service
from solidrec.serve.shadow import Shadow
from solidrec.serve.versions import Version

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LEAST_OVERLAP = 0.1
"""The least rank-biased overlap of a new version's answers with those of the one before."""


def make_admin(service: Service, *, models: Path, token: str, device: str = "cpu") -> FastAPI:
    """Return the application that loads run folders of the folder `models` into a service."""
    app = FastAPI(title="solidrec admin", docs_url=None, redoc_url=None)
    loading = asyncio.Lock()

    @app.exception_handler(Refused)
    async def refuse(_: Request, refused: Refused) -> Response:
        return Response(refused.body(), refused.status, media_type=JSON)

    def check(request: Request) -> None:
        check_token(request.headers.get("authorization", "").encode("latin-1"), token)

    async def loaded(name: str) -> Version:
        """Load the run folder of a name beside the answers; raise `Refused` for a damaged one."""
        path = folder_of(models, name)
        work = partial(Version.load, path, device=device, max_batch=service.limits.max_batch)
        try:
            return await asyncio.to_thread(work)
        except SolidrecError as error:
            raise Refused(409, str(error)) from None

    @app.get("/models")
    async def listed(request: Request) -> Any:
        """The version that answers and the one before."""
        check(request)
        return service.names()

    @app.post("/models/{name}")
    async def load(request: Request, name: str, force: bool = False) -> Any:
        """Load a run folder and let it answer, if it answers like the one before (or by force)."""
        check(request)
        async with loading:
            version = await loaded(name)
            overlap = await service.apart(partial(version.overlap, service.version))
            if overlap < LEAST_OVERLAP and not force:
                raise Refused(
                    409,
                    f"its answers have an overlap of {overlap:.3f} with those of the model that "
                    f"answers now, less than {LEAST_OVERLAP}; add ?force=true if that is meant",
                )
            service.switch(version)
        return service.names() | {"overlap": overlap}

    @app.post("/shadow/{name}")
    async def shadow(
        request: Request, name: str, share: Annotated[float, Query(gt=0, le=1)] = 0.1
    ) -> Any:
        """Ask a run folder a share of the questions, too, and show the overlap in /metrics."""
        check(request)
        async with loading:
            version = await loaded(name)
            service.bring_up_to_date(version)
            service.shadow = Shadow(version, share=share, metrics=service.metrics)
        return service.names()

    @app.delete("/shadow")
    async def no_shadow(request: Request) -> Any:
        """Ask no other version any more."""
        check(request)
        service.shadow = None
        return service.names()

    @app.post("/rollback")
    async def rollback(request: Request) -> Any:
        """Let the version before answer again."""
        check(request)
        if service.previous is None:
            raise Refused(409, "there is no version before this one")
        service.switch(service.previous)
        return service.names()

    return app


def folder_of(models: Path, name: str) -> Path:
    """Return the run folder of a name; raise `Refused` for one that is none, or lies elsewhere."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise Refused(404, "no such model")
    path = models / name
    if not path.is_dir() or not path.resolve().is_relative_to(models.resolve()):
        raise Refused(404, "no such model")
    return path

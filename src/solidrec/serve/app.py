"""The HTTP interface: routes, refusals, tokens and the description of all of it (OpenAPI)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, final

from fastapi import FastAPI, Query, Request
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from solidrec.provenance import versions
from solidrec.serve import schema
from solidrec.serve.http import JSON, PACKET, Work, check_token, refuse_unread, respond
from solidrec.serve.page import add_page
from solidrec.serve.refusals import Refused
from solidrec.serve.service import Service

_PARAMETERS = "/v1/parameters"
_QUEUED = ("/v1/recommend", "/v1/score")
"""What waits in the queue; while that is full it is refused unread, which costs least."""
_REFUSALS = {
    400: "The body is no JSON.",
    401: "No token, or another one.",
    404: "The model does not know the item, or there is no model beside this one.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is of another type than JSON.",
    422: "The body is of another form, or its rules name what the items do not have.",
    503: "Too many requests wait, or the service stops; see Retry-After.",
    504: "No answer in time.",
}


@final
class Application:
    """The whole service as an ASGI application.

    What is asked most often is answered here, without the layers of FastAPI, which take longer than
    the answer; FastAPI answers the rest and describes all of it.
    """

    def __init__(
        self,
        service: Service,
        *,
        token: str | None = None,
        pictures: Mapping[str, Path] | None = None,
    ) -> None:
        self.service, self.token = service, token
        self.routes: dict[tuple[str, str], Work] = {}
        self.rest = _described_app(service, token, self.routes, pictures or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        work = None
        if scope["type"] == "http":
            work = self.routes.get((scope["method"], scope["path"]))
        if work is None:
            await self.rest(scope, receive, send)
            return
        if scope["path"] in _QUEUED and self.service.is_full:
            await refuse_unread(scope, send, self.service.metrics)
            return
        await respond(
            scope,
            receive,
            send,
            work=work,
            packet=self.service.packet if scope["path"] == _PARAMETERS else None,
            limits=self.service.limits,
            token=self.token,
            metrics=self.service.metrics,
        )


def _described_app(
    service: Service,
    token: str | None,
    routes: dict[tuple[str, str], Work],
    pictures: Mapping[str, Path],
) -> FastAPI:
    """Return the application that has all routes, and note those that `Application` answers."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await service.stop()

    app = FastAPI(
        title="solidrec",
        version=versions()["solidrec"],
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    for method, path, work, body, answer in (
        ("POST", "/v1/recommend", service.recommend, schema.RecommendBody, schema.Recommended),
        ("POST", "/v1/beside", service.recommend_beside, schema.RecommendBody, schema.Recommended),
        ("POST", "/v1/events", service.events, schema.EventsBody, schema.Remembered),
        ("POST", "/v1/inspect", service.inspect, schema.InspectBody, schema.Inspected),
        ("POST", "/v1/score", service.score, schema.ScoreBody, schema.Recommended),
        ("POST", "/v1/similar", service.similar, schema.SimilarBody, schema.Nearest),
        ("POST", _PARAMETERS, service.parameters, schema.ParametersBody, schema.Parameters),
        ("PATCH", "/v1/items", service.items, schema.ItemsBody, schema.Changed),
    ):
        routes[method, path] = work
        app.add_api_route(
            path,
            _elsewhere,
            methods=[method],
            summary=body.__doc__,
            responses=_responses(answer, packet=path == _PARAMETERS),
            openapi_extra=_described(body),
            name=path.rpartition("/")[2],
        )
    _add_state(app, service)
    _add_lookups(app, service, token, pictured=bool(pictures))
    add_page(app, pictures)
    return app


async def _elsewhere() -> Response:
    """Stand for a route that `Application` answers."""
    raise AssertionError("answered before")


def _add_state(app: FastAPI, service: Service) -> None:
    """Add the routes that say how the service is."""

    @app.get("/live", response_class=Response)
    async def live() -> Response:
        """The process answers."""
        return Response(b"{}", media_type=JSON)

    @app.get("/ready", response_class=Response, responses={503: {"model": schema.Problem}})
    async def ready() -> Response:
        """Requests should be sent here: the model is warm, and the service does not stop."""
        return Response(b"{}", 200 if service.ready else 503, media_type=JSON)

    @app.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Counts and times in the format of Prometheus."""
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")


def _add_lookups(app: FastAPI, service: Service, token: str | None, *, pictured: bool) -> None:
    """Add the routes that tell of the model and its items."""

    @app.exception_handler(Refused)
    async def refuse(_: Request, refused: Refused) -> Response:
        return Response(refused.body(), refused.status, media_type=JSON)

    @app.exception_handler(RequestValidationError)
    async def misread(_: Request, error: RequestValidationError) -> Response:
        where = error.errors()[0]["loc"][-1]  # one of our names; what was sent is not repeated
        refused = Refused(422, f"{where}: is of another form; see /openapi.json")
        return Response(refused.body(), refused.status, media_type=JSON)

    def check(request: Request) -> None:
        check_token(request.headers.get("authorization", "").encode("latin-1"), token)

    @app.get("/v1/models", responses={401: {"model": schema.Problem}})
    async def models(request: Request) -> Any:
        """The version that answers, and the columns that its rules can read."""
        check(request)
        return service.models() | {"pictures": pictured}

    @app.get("/v1/search", response_class=Response, responses=_responses(schema.Found))
    async def search(
        request: Request,
        q: Annotated[str, Query(max_length=200)] = "",
        k: Annotated[int, Query(ge=1, le=100)] = 10,
    ) -> Response:
        """Items whose title or id holds a text, the popular first."""
        check(request)
        return Response(await service.search(q, k), media_type=JSON)

    @app.delete("/v1/users/{user:path}", status_code=204, responses=_responses(schema.Problem))
    async def forget(
        request: Request, user: Annotated[str, PathParameter(min_length=1, max_length=256)]
    ) -> Response:
        """Forget what a user did (``/v1/events``)."""
        check(request)
        await service.forget(user)
        return Response(status_code=204)


def _responses(answer: Any, *, packet: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the answers; of some there is a `packet`, too."""
    described: dict[int | str, dict[str, Any]] = {
        status: {"model": schema.Problem, "description": why} for status, why in _REFUSALS.items()
    }
    binary = {PACKET: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"model": answer, **({"content": binary} if packet else {})}, **described}


def _described(body: type[schema.Body]) -> dict[str, Any]:
    """Return what OpenAPI says of a body."""
    content = {JSON: {"schema": body.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}

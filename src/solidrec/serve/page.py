"""The page at ``/`` on which a model is tried: three files, and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response

from solidrec.errors import StorageError

_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".gif"}


def pictures_in(folder: Path) -> dict[str, Path]:
    """Return the pictures of a folder by the item that each is named after, as in ``181.jpg``.

    Raises `StorageError` if the folder cannot be read or has none.
    """
    try:
        found = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in _PICTURES}
    except OSError as error:
        raise StorageError(f"{folder}: cannot be read ({error.strerror or error})") from None
    if not found:
        raise StorageError(f"{folder}: has no picture; name them after their items, as in 181.jpg")
    return found


def add_page(app: FastAPI, pictures: Mapping[str, Path]) -> None:
    """Add the page, which asks the service as any other client does, and `pictures` by item."""
    folder = files("solidrec.serve") / "static"
    for path, (name, kind) in _FILES.items():
        content = (folder / name).read_bytes()

        async def page(content: bytes = content, kind: str = kind) -> Response:
            return Response(content, media_type=kind, headers=_HEADERS)

        app.add_api_route(path, page, include_in_schema=False, response_class=Response)

    @app.get("/pictures/{item:path}", include_in_schema=False)
    async def picture(item: str) -> Response:
        path = pictures.get(item)  # what is asked for is looked up, never opened
        return Response(status_code=404) if path is None else FileResponse(path)

"""Requests that are refused: a status of HTTP and one line, which repeats nothing of the body."""

from __future__ import annotations

from typing import Any, final

import orjson
from pydantic import ValidationError

from solidrec.errors import SolidrecError
from solidrec.serve.schema import Body


@final
class Refused(Exception):
    """A request that is not answered; `retry_after` is in seconds."""

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.retry_after = status, message, retry_after

    def body(self) -> bytes:
        """Return the body of the response."""
        return orjson.dumps({"error": self.message.encode("utf-8", "replace").decode()})


def of_validation(error: ValidationError, kind: type[Body]) -> Refused:
    """Return the refusal of a body: 400 if it is no JSON, 422 with the first wrong key."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return Refused(400, "the body is no JSON")
    where = _where(first["loc"], kind)
    return Refused(422, f"{where}: {first['msg'][:200].lower()}")


def of_error(error: SolidrecError) -> Refused:
    """Return the refusal of a question that the items or the model cannot answer."""
    return Refused(422, str(error).replace("setting ", ""))


def _where(place: tuple[Any, ...], kind: type[Body]) -> str:
    """Return the place of a mistake by the names that we know; others are not repeated."""
    parts = [
        str(part) if isinstance(part, int) or part in kind.model_fields else "an unknown key"
        for part in place
    ]
    return ".".join(parts) or "the body"

"""The bodies of requests and answers: strict types, bounded sizes, no unknown keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, final

from pydantic import BaseModel, ConfigDict, Field

from solidrec.kit.packet import Precision
from solidrec.recommend.questions import Question
from solidrec.recommend.rules import NO_RULES, Rules

HISTORY, CANDIDATES, MOST = 1000, 5000, 1000
"""The largest history, list of candidates or exclusions, and k of a request."""
Id = Annotated[str, Field(min_length=1, max_length=256)]
_Named = Annotated[str, Field(max_length=1000)]
_EXAMPLE: Any = {"history": ["50", "181", "174"], "k": 5, "filter": "price < 20"}


class Body(BaseModel):
    """A request, whose keys and types are taken as they are or refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


@final
class RecommendBody(Body):
    """The best items for a history (``POST /v1/recommend``)."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    history: list[Id] = Field(max_length=HISTORY, description="item ids, oldest first")
    k: int = Field(10, ge=1, le=MOST)
    keep_history: bool = False
    candidates: list[Id] | None = Field(None, min_length=1, max_length=CANDIDATES)
    exclude: list[Id] = Field([], max_length=CANDIDATES)
    filter: _Named | None = None
    boost: dict[_Named, Annotated[float, Field(gt=0)]] = Field({}, max_length=20)
    diversity: float = Field(0.0, ge=0, le=1)
    at_most: dict[_Named, Annotated[int, Field(ge=1)]] = Field({}, max_length=5)
    user: Id | None = Field(
        None, description="whose remembered events come before the history; see /v1/events"
    )
    arm: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="of an experiment, for the log of impressions"
    )
    because: bool = Field(False, description="say of each item which experts and events raise it")

    def question(self, remembered: Sequence[str] = ()) -> Question:
        """Return what the engine is asked; `remembered` events come before the history."""
        given = {name: getattr(self, name) for name in self.model_fields_set & _RULES}
        given |= {name: tuple(one) for name, one in given.items() if isinstance(one, list)}
        # The values are checked already, as strictly as rules check them.
        rules = Rules.model_construct(set(given), **given) if given else NO_RULES
        history = [*remembered, *self.history] if remembered else self.history
        return Question(history, self.k, self.keep_history, rules)


_RULES = set(Rules.model_fields)


@final
class ScoreBody(Body):
    """The scores of some items for a history (``POST /v1/score``)."""

    model_config = ConfigDict(json_schema_extra={"example": {"history": ["50"], "items": ["181"]}})

    history: list[Id] = Field(max_length=HISTORY, description="item ids, oldest first")
    items: list[Id] = Field(min_length=1, max_length=CANDIDATES)

    def question(self) -> Question:
        """Return what the engine is asked: all items, also those of the history."""
        rules = Rules.model_construct({"candidates"}, candidates=tuple(self.items))
        return Question(self.history, len(self.items), True, rules)


@final
class SimilarBody(Body):
    """The items nearest to an item (``POST /v1/similar``)."""

    model_config = ConfigDict(json_schema_extra={"example": {"item": "50", "k": 5}})

    item: Id
    k: int = Field(10, ge=1, le=MOST)


@final
class ParametersBody(Body):
    """The weights that are generated for a history (``POST /v1/parameters``)."""

    model_config = ConfigDict(json_schema_extra={"example": {"history": ["50", "181"]}})

    history: list[Id] = Field(max_length=HISTORY, description="item ids, oldest first")
    precision: Precision = Field("fp16", description="of a packet's values")
    delta: bool = Field(False, description="a packet of differences from the kit's group weights")


@final
class EventsBody(Body):
    """What a user just did, for the service to remember (``POST /v1/events``)."""

    model_config = ConfigDict(json_schema_extra={"example": {"user": "u1", "items": ["50"]}})

    user: Id
    items: list[Id] = Field(min_length=1, max_length=HISTORY, description="oldest first")


@final
class InspectBody(Body):
    """What the model makes of a history (``POST /v1/inspect``)."""

    model_config = ConfigDict(json_schema_extra={"example": {"history": ["50", "181"]}})

    history: list[Id] = Field(max_length=HISTORY, description="item ids, oldest first")


@final
class ItemsBody(Body):
    """New values of item columns, or items to remove (``PATCH /v1/items``)."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"set": {"50": {"price": 9.5}}, "remove": ["181"]}}
    )

    set: dict[Id, dict[_Named, Any]] = Field({}, max_length=CANDIDATES)
    remove: list[Id] = Field([], max_length=CANDIDATES, description="never recommended again")
    restore: list[Id] = Field([], max_length=CANDIDATES, description="recommended again")


class Answer(BaseModel):
    """Shapes of answers, for the documentation of the interface."""

    model_config = ConfigDict(protected_namespaces=())


@final
class Item(Answer):
    """One item of an answer."""

    item: str
    score: float
    title: str | None
    because: dict[str, Any] | None = None


@final
class Recommended(Answer):
    """The answer of ``/v1/recommend``, and of ``/v1/score`` in the order asked."""

    items: list[Item]
    ignored: list[str]
    fallback: str | None
    remembered: int | None = Field(
        None, description="events of the user that were read; null where the memory was down"
    )
    model_version: str


@final
class Nearest(Answer):
    """The answer of ``/v1/similar``."""

    items: list[Item]
    model_version: str


@final
class Problem(Answer):
    """The answer of a request that is refused."""

    error: str


@final
class Tensor(Answer):
    """A tensor: base64 of its values in C order, little-endian."""

    shape: list[int]
    dtype: str
    data: str


@final
class Parameters(Answer):
    """The answer of ``/v1/parameters``."""

    parameters: dict[str, Tensor]
    ignored: list[str]
    fallback: str | None
    model_version: str


@final
class Remembered(Answer):
    """The answer of ``/v1/events``: how many of the items the model knows."""

    known: int
    model_version: str


@final
class FoundItem(Answer):
    """One item that a search found."""

    item: str
    title: str | None


@final
class Found(Answer):
    """The answer of ``/v1/search``."""

    items: list[FoundItem]
    model_version: str


@final
class Inspected(Answer):
    """The answer of ``/v1/inspect``; see `solidrec.recommend.inspect_user`."""

    events: list[dict[str, Any]]
    mixture: dict[str, dict[str, float]] | None = None
    branch: float | None = None
    model_version: str


@final
class Changed(Answer):
    """The answer of ``PATCH /v1/items``: the ids that the model does not know."""

    unknown: list[str]
    model_version: str

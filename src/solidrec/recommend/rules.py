"""Rules of a request: which items may be recommended, which are preferred, how varied they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict, final

from pydantic import BeforeValidator, Field, StrictStr, ValidationInfo

from solidrec.arguments import as_history
from solidrec.errors import UsageError
from solidrec.spec_base import Spec


def _ids(value: Any, info: ValidationInfo) -> Any:
    """Return ids as texts, as those of a history are; what is no list of ids is refused as such."""
    return value if value is None else tuple(as_history(value, str(info.field_name)))


_Ids = Annotated[tuple[str, ...], BeforeValidator(_ids)]


@final
class Rules(Spec):
    """What a request asks for besides a history.

    >>> Rules.parse({"filter": "price < 20", "exclude": ["i1"]})
    Rules(exclude=('i1',), filter='price < 20')
    """

    candidates: _Ids | None = Field(None, description="items of which the best are returned")
    exclude: _Ids = Field((), description="items that are never returned")
    filter: StrictStr | None = Field(
        None, description='what an item has to fit, for example price < 20 and "toys" in categories'
    )
    boost: Mapping[StrictStr, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict,
        description="filter -> factor by which the odds of the items that fit are multiplied",
    )
    diversity: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="0 ranks by score, 1 by how little an item is like those above it (MMR)"
    )
    at_most: Mapping[StrictStr, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="column -> how many items may share one of its values"
    )

    def __repr_args__(self) -> Any:
        """Show what differs from the default."""
        return [(name, getattr(self, name)) for name in sorted(self.model_fields_set)]

    @property
    def reorders(self) -> bool:
        """Whether the items are not simply those of the best scores."""
        return bool(self.diversity or self.at_most)


class RuleWords(TypedDict, total=False):
    """The keyword arguments of `Model.recommend` that are the rules of a request (`Rules`)."""

    candidates: Any
    exclude: Any
    filter: str | None
    boost: Mapping[str, float]
    diversity: float
    at_most: Mapping[str, int]


NO_RULES = Rules()


def rules_of(words: RuleWords) -> Rules:
    """Return the rules that keyword arguments give; raise `UsageError` in words of their own."""
    if not words:
        return NO_RULES
    try:
        return Rules.parse(words)
    except UsageError as error:
        said = str(error).replace("unknown setting", "unknown rule").replace("setting ", "")
        raise UsageError(said) from None

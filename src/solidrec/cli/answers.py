"""Commands that recommend, find similar items and export vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

from typer import Argument, Option

from solidrec.cli.app import app, print_json
from solidrec.cli.options import (
    Batch,
    Device,
    HowMany,
    ItemColumn,
    Json,
    RunArgument,
    TimeColumn,
    UserColumn,
)
from solidrec.errors import UsageError

if TYPE_CHECKING:
    from solidrec.id_map import IdMap
    from solidrec.recommend.questions import Recommendation
    from solidrec.recommend.rules import RuleWords

_History = Annotated[
    str | None, Option(help='Item ids, oldest first, separated by commas; "" for no history.')
]
_Out = Annotated[
    Path | None, Option(help="Where --batch writes user, rank, item, score, title (Parquet).")
]
_MaxUnknown = Annotated[
    float, Option(help="Share of events of --batch that the model may not know.")
]
_KeepHistory = Annotated[
    bool, Option("--keep-history", help="Also recommend items of the history.")
]


_Candidates = Annotated[
    str | None, Option(help="Rank only these items, separated as in --history.")
]
_Exclude = Annotated[str | None, Option(help="Never recommend these items.")]
_Filter = Annotated[
    str | None,
    Option(
        "--filter",
        help="What the columns of an item have to fit: 'price < 20 and \"toys\" in categories'.",
    ),
]
_Boost = Annotated[
    list[str] | None,
    Option(help="FILTER=FACTOR: the odds of items that fit are multiplied. Repeatable."),
]
_Diversity = Annotated[
    float, Option(help="From 0, ranked by score, to 1, each item unlike those above it.")
]
_AtMost = Annotated[
    list[str] | None,
    Option(help="COLUMN=N: at most N items may share a value of a column. Repeatable."),
]


@app.command(
    short_help="Recommend for any history.",
    epilog='Example: solidrec recommend run --history "50,181,174" -k 10',
)
def recommend(
    run: RunArgument,
    history: _History = None,
    batch: Batch = None,
    out: _Out = None,
    k: HowMany = 10,
    user_column: UserColumn = None,
    item_column: ItemColumn = None,
    time_column: TimeColumn = None,
    max_unknown: _MaxUnknown = 0.5,
    separator: Annotated[str, Option(help="What separates ids in --history.")] = ",",
    keep_history: _KeepHistory = False,
    candidates: _Candidates = None,
    exclude: _Exclude = None,
    filter_: _Filter = None,
    boost: _Boost = None,
    diversity: _Diversity = 0.0,
    at_most: _AtMost = None,
    because: Annotated[
        bool, Option("--because", help="Also say which events of the history raise each item.")
    ] = False,
    device: Device = "cpu",
    json_: Json = False,
) -> None:
    """Recommend for a history that training never saw, or for a file of them."""
    from solidrec.api import load
    from solidrec.batch_files import recommend_file

    if (history is None) == (batch is None):
        raise UsageError('give either --history "ID,ID" or --batch FILE.parquet --out FILE.parquet')
    if batch is not None and out is None:
        raise UsageError("--batch needs --out FILE.parquet")
    if not separator:
        raise UsageError("--separator is empty; give what stands between two ids, for example ','")
    model = load(run, device=device)
    rules: RuleWords = {
        "filter": filter_,
        "boost": _numbers(boost, "--boost", float),
        "diversity": diversity,
        "at_most": _numbers(at_most, "--at-most", int),
        "exclude": _ids(exclude or "", separator, known=model.run.items),
    }
    if candidates is not None:
        rules["candidates"] = _ids(candidates, separator, known=model.run.items)
    if batch is not None and out is not None:
        columns = {"user": user_column, "item": item_column, "time": time_column}
        facts = recommend_file(
            model,
            batch,
            out,
            k,
            keep_history=keep_history,
            columns=columns,
            max_unknown=max_unknown,
            **rules,
        )
        print_json(facts) if json_ else _count(out, facts)
        return
    ids = _ids(history or "", separator, known=model.run.items)
    answer = model.recommend(ids, k, keep_history=keep_history, **rules)
    if because:
        why = model.because(ids, [one["item"] for one in answer.items])
        for one, own in zip(answer.items, why, strict=True):
            one["because"] = own
    print_json(answer.to_json()) if json_ else _show(ids, answer)


def _count(out: Path, facts: dict[str, int]) -> None:
    """Print what was written for a file of histories."""
    print(
        f"wrote {out}: {facts['users']:,} users, {facts['fallbacks']:,} by fallback, "
        f"{facts['ignored']:,} events of unknown items ignored"
    )


def _show(ids: list[str], answer: Recommendation) -> None:
    """Print an answer as a table, after what was ignored and who answered."""
    from solidrec.console import out, say
    from solidrec.terminal import items_table

    if answer.ignored:
        say(f"ignored, not known to the model: {', '.join(answer.ignored)}")
    if answer.fallback:
        say(f"no known item in the history: answered by {answer.fallback}")
    out().print(items_table(f"for {', '.join(ids) or 'an empty history'}", answer.items))


def _pairs(texts: list[str] | None) -> list[tuple[str, str]]:
    """Split ``KEY=VALUE`` at the last sign that is none of a comparison.

    >>> _pairs(["brand == 'a'=2"])
    [("brand == 'a'", '2')]
    """
    found = []
    for text in texts or ():
        key, sign, value = text.rpartition("=")
        if not sign or not key.strip() or not value.strip():
            raise UsageError(f"{text!r}: write KEY=VALUE")
        found.append((key.strip(), value.strip()))
    return found


_Number = TypeVar("_Number", int, float)


def _numbers(texts: list[str] | None, option: str, kind: type[_Number]) -> dict[str, _Number]:
    """Return the numbers of an option ``KEY=NUMBER`` by their keys."""
    found = {}
    for key, text in _pairs(texts):
        try:
            found[key] = kind(text)
        except ValueError:
            raise UsageError(f"{option} ...={text}: a number is needed after the last =") from None
    return found


def _ids(history: str, separator: str, *, known: IdMap) -> list[str]:
    """Split a history into ids; spaces around one are kept if the model knows it with them."""
    parts = [part for part in history.split(separator) if part.strip()]
    return [part if known.index(part) else part.strip() for part in parts]


@app.command(short_help="Nearest items of an item.", epilog="Example: solidrec similar run 50 -k 5")
def similar(
    run: RunArgument,
    item: Annotated[str, Argument(help="An item id.")],
    k: HowMany = 10,
    json_: Json = False,
) -> None:
    """List the items whose learned embeddings are nearest to an item's."""
    from solidrec.api import load
    from solidrec.console import out
    from solidrec.terminal import items_table

    items = load(run).similar(item, k)
    if json_:
        print_json({"item": item, "items": items})
    else:
        out().print(items_table(f"nearest to {item}", items))


_Users = Annotated[
    Path | None, Option(help="Write user, vector (Parquet) for the histories of --batch.")
]


@app.command(
    short_help="Vectors as Parquet, or a device kit.",
    epilog="Example: solidrec export run --items items.parquet --users users.parquet --batch "
    "histories.parquet · solidrec export run --onnx kit --item-precision fp16",
)
def export(
    run: RunArgument,
    items: Annotated[Path | None, Option(help="Write item, vector (Parquet).")] = None,
    users: _Users = None,
    batch: Batch = None,
    onnx: Annotated[
        Path | None, Option(help="Write the device kit: both halves as ONNX, into this folder.")
    ] = None,
    item_precision: Annotated[
        str, Option(help="Of the kit's item vectors: fp32, fp16 or int8.")
    ] = "fp32",
) -> None:
    """Export item and user vectors, whose dot product is the model's logit, or a device kit.

    Those of a mixture are the vectors of its neural expert: their dot product is one kind of its
    evidence, and ranks worse than `recommend`.
    """
    from solidrec.api import load
    from solidrec.batch_files import export_items, export_users
    from solidrec.console import say
    from solidrec.nn.mixture import Mixture
    from solidrec.semantics.modalities.needs import need

    if items is None and users is None and onnx is None:
        raise UsageError(
            "say what to export: --items FILE.parquet, --users FILE.parquet --batch FILE.parquet, "
            "or --onnx FOLDER"
        )
    if users is not None and batch is None:
        raise UsageError("--users needs --batch FILE.parquet, the histories")
    if items is not None and users is not None and items.absolute() == users.absolute():
        raise UsageError(f"--items and --users are both {items}; give two files")
    model = load(run)
    if onnx is not None:
        need("device", "onnx", "onnxruntime")
        from solidrec.kit.export_kit import export_kit

        facts = export_kit(model.run, onnx, item_precision=cast(Any, item_precision))
        size = facts["files"]["device.onnx"]["bytes"]
        print(f"wrote {onnx}: device half {size:,} bytes, {facts['items']:,} items")
    if isinstance(model.run.model, Mixture):
        say(
            "vectors of the mixture's neural expert: their dot product is one kind of its "
            "evidence, not what `recommend` ranks by"
        )
    if items is not None:
        print(f"wrote {items}: {export_items(model.engine, items):,} item vectors")
    if users is not None and batch is not None:
        print(f"wrote {users}: {export_users(model.engine, batch, users):,} user vectors")

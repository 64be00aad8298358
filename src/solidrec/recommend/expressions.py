"""Filters over item columns, written as ``price < 20 and category in ("toys", "games")``.

The text is parsed by Python's own parser, and only comparisons are translated; nothing of it runs.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, final

import polars as pl

from solidrec.errors import UsageError, nearest

_LONGEST = 1000  # characters of a filter
_LARGEST = 2**63
_Compare = Callable[[pl.Expr, Any], pl.Expr]
_COMPARISONS: dict[type[ast.cmpop], tuple[str, _Compare]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}
_MIRRORED = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}


def filter_of(text: str, columns: Mapping[str, pl.DataType]) -> pl.Expr:
    """Translate a filter to a polars expression over `columns`, which are given with their types.

    ``< <= > >= == !=`` compare a column with a value, ``in`` and ``not in`` with several; ``and``,
    ``or``, ``not`` and parentheses combine them. A column of lists fits ``in`` if one of its values
    does; ``"toys" in categories`` looks into a list or a text. ``column("unit price")`` names a
    column that is no word. As in SQL, an item without a value fits no comparison but
    ``price == None``. Raises `UsageError` that names what is wrong.

    >>> frame = pl.DataFrame({"price": [5, 30, None], "kind": ["toy", "toy", "game"]})
    >>> frame.filter(filter_of("price < 20 or kind in ('game',)", frame.schema))["kind"].to_list()
    ['toy', 'game']
    >>> filter_of("prize < 20", frame.schema)
    Traceback (most recent call last):
    solidrec.errors.UsageError: filter 'prize < 20': no column 'prize'; did you mean 'price'?
    """
    if not isinstance(text, str):
        raise UsageError(f"filter {text!r:.60}: give a text such as 'price < 20'")
    return _Translation(text, columns).expression


@final
class _Translation:
    """One filter, translated to an expression."""

    def __init__(self, text: str, columns: Mapping[str, pl.DataType]) -> None:
        self.text, self.columns = text, columns
        if len(text) > _LONGEST:
            raise UsageError(
                f"a filter of {len(text):,} characters: at most {_LONGEST:,} are read; give a "
                "list of items with candidates= (--candidates) instead"
            )
        try:
            with warnings.catch_warnings(action="ignore"):  # of escapes in texts
                parsed = ast.parse(text.strip(), mode="eval")
            self.expression = self.condition(parsed.body)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise self.wrong("is no comparison; write for example price < 20") from None

    def wrong(self, why: str) -> UsageError:
        shown = self.text if len(self.text) <= 80 else f"{self.text[:80]}..."
        return UsageError(f"filter {shown!r}: {why}")

    def condition(self, node: ast.expr) -> pl.Expr:
        """Translate what is true or false."""
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return reduce(operator.and_, map(self.condition, values))
            case ast.BoolOp(op=ast.Or(), values=values):
                return reduce(operator.or_, map(self.condition, values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self.condition(operand)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                sides = zip([left, *rights], ops, rights, strict=False)
                return reduce(operator.and_, (self.comparison(*side) for side in sides))
        name = self.column(node)
        if name is None or self.columns[name] != pl.Boolean:
            raise self.wrong(f"{ast.unparse(node)!r:.60} is neither true nor false; compare it")
        return pl.col(name)

    def comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> pl.Expr:
        """Translate a comparison of a column with values."""
        name, other = self.column(left), self.column(right)
        if (name is None) == (other is None):
            raise self.wrong("compare a column with a value, for example price < 20")
        if isinstance(op, ast.In | ast.NotIn):
            found = self.among(name, right) if other is None else self.inside(left, other)
            return ~found if isinstance(op, ast.NotIn) else found
        if isinstance(op, ast.Is | ast.IsNot):
            raise self.wrong("write == None or != None")
        if name is None:
            assert other is not None
            return self.compared(other, _MIRRORED.get(type(op), type(op)), self.value(left))
        return self.compared(name, type(op), self.value(right))

    def compared(self, name: str, op: type[ast.cmpop], value: Any) -> pl.Expr:
        """Translate ``name op value``."""
        sign, compare = _COMPARISONS[op]
        column, dtype = pl.col(name), self.columns[name]
        if value is None:
            if sign not in ("==", "!="):
                raise self.wrong("None is compared by == or != only")
            return column.is_null() if sign == "==" else column.is_not_null()
        if isinstance(dtype, pl.List):
            raise self.wrong(f"{name} holds lists; write {value!r} in {name}")
        return compare(column, self.fitting(name, dtype, value))

    def among(self, name: str | None, values: ast.expr) -> pl.Expr:
        """Translate ``name in (values)``."""
        assert name is not None
        if not isinstance(values, ast.Tuple | ast.List | ast.Set):
            raise self.wrong(f"write several values in parentheses: {name} in ('a', 'b')")
        dtype = self.columns[name]
        inner = dtype.inner if isinstance(dtype, pl.List) else dtype
        wanted = [self.fitting(name, inner, self.value(each)) for each in values.elts]
        if isinstance(dtype, pl.List):
            listed = pl.col(name).list
            return reduce(operator.or_, map(listed.contains, wanted), pl.lit(False))
        return reduce(operator.or_, (pl.col(name) == one for one in wanted), pl.lit(False))

    def inside(self, value: ast.expr, name: str) -> pl.Expr:
        """Translate ``value in name``: one of a list, or a part of a text."""
        dtype, wanted = self.columns[name], self.value(value)
        if isinstance(dtype, pl.List):
            return pl.col(name).list.contains(self.fitting(name, dtype.inner, wanted))
        if dtype == pl.String and isinstance(wanted, str):
            return pl.col(name).str.contains(wanted, literal=True)
        raise self.wrong(f"{name} holds no lists; write {name} == {wanted!r}")

    def fitting(self, name: str, dtype: Any, value: Any) -> Any:
        """Return a value that a column of this type can be compared with."""
        if dtype.is_temporal():
            try:
                return pl.Series([value], dtype=pl.String).str.to_datetime().cast(dtype)[0]
            except (pl.exceptions.PolarsError, TypeError):
                raise self.wrong(f"{name} holds times; write one as '2026-01-31'") from None
        kind = bool if dtype == pl.Boolean else str if dtype == pl.String else int | float
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if not fits:
            raise self.wrong(f"{name} holds {_KINDS[kind]}, {value!r:.40} is of another kind")
        return value

    def value(self, node: ast.expr) -> Any:
        """Return a constant, or the negative of a number."""
        match node:
            case ast.Constant(value=str() | int() | float() | None as value):
                pass
            case ast.UnaryOp(
                op=ast.USub(), operand=ast.Constant(value=int() | float() as number)
            ) if not isinstance(number, bool):
                value = -number
            case _:
                raise self.wrong(f"{ast.unparse(node)!r:.60} is no text, number, True or None")
        if isinstance(value, int | float) and not abs(value) < _LARGEST:
            raise self.wrong("holds a number that is too large")
        return value

    def column(self, node: ast.expr) -> str | None:
        """Return the column that a part of a filter names, None if it is none."""
        match node:
            case ast.Name(id=name):
                pass
            case ast.Call(
                func=ast.Name(id="column"), args=[ast.Constant(value=str() as name)], keywords=[]
            ):
                pass
            case _:
                return None
        if name not in self.columns:
            raise self.wrong(f"no column {name!r}{nearest(name, self.columns)}")
        return name


_KINDS: dict[Any, str] = {bool: "True or False", str: "texts", int | float: "numbers"}

"""Dynamic sequential recommendation with model layers that are generated for each user and request.

>>> import solidrec
>>> sorted(solidrec.__all__)
['Model', 'PreparedData', 'add_items', 'encode', 'load', 'prepare', 'train', 'update']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solidrec.api import Model, add_items, encode, load, prepare, train, update
    from solidrec.data.prepared import PreparedData

__version__ = "0.1.0"
__all__ = ["Model", "PreparedData", "add_items", "encode", "load", "prepare", "train", "update"]


def __getattr__(name: str) -> Any:
    """Import the API when it is first used, so that ``import solidrec`` costs nothing."""
    if name == "PreparedData":
        from solidrec.data.prepared import PreparedData

        return PreparedData
    if name in __all__:
        import solidrec.api

        return getattr(solidrec.api, name)
    raise AttributeError(f"module 'solidrec' has no attribute {name!r}")

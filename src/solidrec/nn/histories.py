"""A batch of histories as sources read it."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Bool, Float, Int
from torch import Tensor

from solidrec.nn.masks import end_states, prefix_counts, valid


class Histories(NamedTuple):
    """Item ``ids`` (B, L), embeddings ``items`` (B, L, D) and the ``mask`` (B, L) of valid ids.

    With ``prefix_ends`` (N,), flat indices into (B, L), each of N prefixes counts as a history of
    its own: prefix n is the history up to and with position ``prefix_ends[n]``. A reader of the
    histories then gives one row per prefix.
    """

    ids: Int[Tensor, "B L"]
    items: Float[Tensor, "B L D"]
    mask: Bool[Tensor, "B L"]
    prefix_ends: Int[Tensor, " N"] | None = None

    @classmethod
    def of(
        cls,
        ids: Int[Tensor, "B L"],
        items: Float[Tensor, "B L D"],
        prefix_ends: Int[Tensor, " N"] | None = None,
    ) -> Histories:
        """Return the histories of these ids and embeddings, padded with id 0 on the right."""
        return cls(ids, items, valid(ids), prefix_ends)

    def end(self, states: Float[Tensor, "B L D"]) -> Float[Tensor, "N D"]:
        """Return the state at the end of each history or prefix, zeros for an empty history."""
        return end_states(states, self.mask, self.prefix_ends)

    def weight(self) -> Float[Tensor, "B L"]:
        """Return how many histories or prefixes hold each position, 0 for padding."""
        return prefix_counts(self.mask, self.prefix_ends).to(self.items.dtype)

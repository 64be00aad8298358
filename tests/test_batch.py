"""A batch is what a model is called with, and scores are what it gives back."""

from __future__ import annotations

import torch

from solidrec.batch import Batch, Scores
from solidrec.nn.build import build
from solidrec.spec import ModelSpec

HISTORY = torch.tensor([[1, 2, 0], [3, 0, 0]])
CANDIDATES = torch.tensor([[4, 5], [1, 2], [3, 4]])
LABELS = torch.tensor([[1.0, 0.0]] * 3)


def test_without_prefixes_a_row_of_candidates_reads_its_whole_history() -> None:
    """Targets 0 and 1 end at both items of the first history, target 2 at the second's only one."""
    model = build(ModelSpec(name="static", dim=8, history_length=3), items=5).eval()
    batch = Batch(HISTORY, CANDIDATES[1:], LABELS[1:])
    assert (batch.prefix_ends, batch.shared) == (None, None)
    whole = model(batch.history, batch.candidates, batch.prefix_ends)
    batch = Batch(HISTORY, CANDIDATES, LABELS, torch.tensor([0, 1, 3]))
    found = model(batch.history, batch.candidates, batch.prefix_ends)
    assert isinstance(found, Scores)
    assert found.logits.shape == CANDIDATES.shape
    torch.testing.assert_close(found.logits[1:], whole.logits)
    alone = model(HISTORY[:1, :1], CANDIDATES[:1], None)
    torch.testing.assert_close(found.logits[:1], alone.logits)


def test_without_a_codebook_its_loss_is_0() -> None:
    model = build(ModelSpec(name="static", dim=8, history_length=3), items=5)
    scores = model(HISTORY, CANDIDATES[1:], None)
    assert scores.codebook_loss.shape == ()
    assert scores.codebook_loss == 0

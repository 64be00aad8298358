"""Masks of padded histories against loops over their items."""

from __future__ import annotations

import torch
from torch import Tensor

from solidrec.nn.masks import causal, end_states, last, last_valid, pick, prefix_counts, valid

HISTORY = torch.tensor([[3, 1, 2, 0], [4, 0, 0, 0], [0, 0, 0, 0], [5, 5, 5, 5]])
LENGTHS = [3, 1, 0, 4]
STATES = torch.arange(1.0, 4 * 4 * 2 + 1).view(4, 4, 2)


def test_an_item_is_what_is_not_0() -> None:
    assert valid(HISTORY).sum(1).tolist() == LENGTHS
    assert valid(HISTORY)[0].tolist() == [True, True, True, False]


def test_the_last_item_of_an_empty_history_is_said_to_stand_first() -> None:
    assert last(valid(HISTORY)).tolist() == [3 - 1, 1 - 1, 0, 4 - 1]


def test_one_position_a_row_is_picked() -> None:
    found = pick(STATES, torch.tensor([2, 0, 3, 1]))
    assert torch.equal(
        found, torch.stack([STATES[0, 2], STATES[1, 0], STATES[2, 3], STATES[3, 1]])[:, None]
    )


def test_the_last_state_is_that_of_the_last_item_and_zero_without_one() -> None:
    rows = [STATES[row, n - 1] if n else torch.zeros(2) for row, n in enumerate(LENGTHS)]
    assert torch.equal(last_valid(STATES, valid(HISTORY)), torch.stack(rows))


def test_states_are_read_at_places_or_at_the_end() -> None:
    mask = valid(HISTORY)
    assert torch.equal(end_states(STATES, mask, None), last_valid(STATES, mask))
    places = torch.tensor([0 * 4 + 2, 3 * 4 + 1, 3 * 4 + 3])
    assert torch.equal(
        end_states(STATES, mask, places), torch.stack([STATES[0, 2], STATES[3, 1], STATES[3, 3]])
    )


def test_a_position_is_read_by_each_prefix_that_holds_it() -> None:
    mask = valid(HISTORY)
    places = [0 * 4 + 0, 0 * 4 + 2, 3 * 4 + 1]
    expected = torch.zeros(4, 4)
    for place in places:
        row, column = divmod(place, 4)
        expected[row, : column + 1] += 1
    assert torch.equal(prefix_counts(mask, torch.tensor(places)), expected)
    assert torch.equal(prefix_counts(mask, None), mask.float())


def test_a_position_prefix_counts_itself_and_what_came_before() -> None:
    found: Tensor = causal(3, torch.device("cpu"))
    assert found[0].tolist() == [[column <= row for column in range(3)] for row in range(3)]

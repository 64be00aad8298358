"""Which trial is the best, and what is said of it."""

from __future__ import annotations

from solidrec.search.findings import Trial, best_of, finding, line


def trial(number: int, score: float | None, error: str | None = None) -> Trial:
    return Trial(
        number=number,
        settings={"model.dim": 8 * (number + 1)},
        digest=f"{number:012d}",
        valid=None if score is None else {"UAUC": score},
        epochs=3,
        seconds=1.0,
        error=error,
    )


def test_the_best_score_wins_and_the_earliest_of_equals() -> None:
    trials = [trial(0, 0.7), trial(1, 0.8), trial(2, 0.8)]
    assert best_of(trials).number == 1


def test_a_trial_that_failed_is_the_last_choice() -> None:
    """Even against one that was measured at 0, and though it came first."""
    trials = [trial(0, None, error="out of memory"), trial(1, 0.0)]
    assert best_of(trials).number == 1
    assert best_of(trials[:1]).number == 0


def test_a_line_says_which_is_the_best_so_far() -> None:
    trials = [trial(0, 0.7), trial(1, 0.6)]
    assert "the best so far" in line(trials[0], trials[:1])
    assert "best 0.7000, trial 0" in line(trials[1], trials)


def test_the_finding_compares_the_best_with_the_first() -> None:
    said = finding([trial(0, 0.7), trial(1, 0.75)])
    assert said.startswith("Trial 1 is the best of 2: valid UAUC 0.7500")
    assert "has 0.7000, 0.0500 less" in said

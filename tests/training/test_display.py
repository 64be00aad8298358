"""Displays of training: one that shows nothing, and one that leaves epochs out."""

from __future__ import annotations

from solidrec.training.display import Display, Row, Silent, StageDisplay


class Recorder:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def stage(self, stage: int, epochs: int, steps: int) -> None:
        self.told.append(("stage", stage, epochs, steps))

    def step(self) -> None:
        self.told.append(("step",))

    def epoch(self, row: Row) -> None:
        self.told.append(("epoch", row["epoch"]))

    def done(self, row: Row) -> None:
        self.told.append(("done", row["epoch"]))


def train(display: Display) -> None:
    display.stage(1, 2, 3)
    display.step()
    display.epoch({"epoch": 1})
    display.done({"epoch": 1})


def test_all_are_displays() -> None:
    recorder = Recorder()
    assert all(isinstance(each, Display) for each in (recorder, Silent(), StageDisplay(recorder)))


def test_a_training_on_the_way_shows_all_but_its_epochs() -> None:
    """Its epochs are not in the log of the run, so nobody is to look for them there."""
    recorder = Recorder()
    train(StageDisplay(recorder))
    assert recorder.told == [("stage", 1, 2, 3), ("step",), ("done", 1)]


def test_the_silent_one_prints_nothing(capsys: object) -> None:
    train(Silent())
    assert capsys.readouterr() == ("", "")  # type: ignore[attr-defined]

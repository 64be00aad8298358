"""What people read on a terminal: lines, bars, and the report of a preparation."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from solidrec.console import (
    FILE_WIDTH,
    ProgressBar,
    counted,
    encoded_line,
    out,
    prepared_lines,
    say,
    shorten,
)
from solidrec.data.prepared import PreparedData


def screen(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def row(epoch: int, **changed: Any) -> dict[str, Any]:
    return {"stage": 2, "epoch": epoch, "loss": 0.5, "valid": {"UAUC": 0.25}, **changed}


def test_a_line_is_printed_as_it_is_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    line = "[bold]not bold[/bold] :100: " + "word " * 60
    say(line)
    assert capsys.readouterr() == ("", line + "\n")


def test_without_a_terminal_every_tenth_epoch_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    to = screen(terminal=False)
    with ProgressBar(to) as bar:
        bar.stage(2, 25, 4)
        for epoch in range(1, 26):
            bar.step()
            bar.epoch(row(epoch))
        bar.done(row(7))
    note = "loss 0.5000 valid UAUC 0.2500"
    assert capsys.readouterr().err.splitlines() == [
        f"stage 2: epoch 10 {note}",
        f"stage 2: epoch 20 {note}",
        "stage 2: best epoch 7 (at most 25), valid UAUC 0.2500",
    ]
    assert text_of(to).strip() == ""


def test_on_a_terminal_there_is_a_bar_and_its_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    to = screen(terminal=True)
    with ProgressBar(to) as bar:
        bar.stage(1, 10, 4)
        for epoch in range(1, 11):
            for _ in range(4):
                bar.step()
            bar.epoch(row(epoch, stage=1))
        assert bar.progress.tasks[0].completed == bar.progress.tasks[0].total == 10 * 4
    assert "stage 1" in text_of(to)
    assert "40/40" in text_of(to)
    assert "epoch 10 loss 0.5000 valid UAUC 0.2500" in text_of(to)
    assert capsys.readouterr().err == ""


def test_a_stage_that_ends_early_is_a_full_bar() -> None:
    with ProgressBar(screen(terminal=False)) as bar:
        bar.stage(1, 10, 4)
        bar.step()
        bar.done(row(1))
        assert bar.progress.tasks[0].total == 1


def test_what_an_epoch_has_not_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar(screen(terminal=False)) as bar:
        bar.stage(2, 10, 4)
        bar.epoch(row(0, loss=None, valid=None))
        assert bar.note == "epoch 0"
        bar.epoch(row(1, valid={"NDCG@10": 0.125}, select="full NDCG@10"))
        assert bar.note == "epoch 1 loss 0.5000 valid full NDCG@10 0.1250"
        bar.done(row(1, valid=None))
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith("(at most 10), nothing to validate on, the last epoch counts")


@pytest.mark.parametrize(
    ("shown", "terminal", "drawn"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_a_counted_bar_is_drawn_on_a_terminal_if_wanted(
    shown: bool, terminal: bool, drawn: bool
) -> None:
    to = screen(terminal=terminal)
    with counted(to, "rows", 30, shown=shown) as advance:
        advance(10)
        advance(20)
    assert ("rows" in text_of(to)) == ("30/30" in text_of(to)) == drawn


def test_results_are_printed_as_they_are_at_the_width_of_a_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = out()
    assert console.width == FILE_WIDTH == 120
    assert out(70).width == 70
    console.print("[/b] :100: 3")
    assert capsys.readouterr() == ("[/b] :100: 3\n", "")


def lines(manifest: dict[str, Any], **changed: Any) -> list[str]:
    return prepared_lines({**manifest, **changed}, "my data")


def test_the_report_of_a_preparation_adds_up(data: PreparedData) -> None:
    rows = {
        "in": 1300,
        "kept": 1000,
        "rejected": {"null_user": 200},
        "dropped": {"exact_duplicate": 60, "k_core": 40},
    }
    found = lines(data.manifest, rows=rows)
    assert found[0].startswith("source: ")
    assert found[1] == f"users 90 · items 40 · interactions {90 * 9}"
    assert found[2] == (
        "rows in 1,300 = kept 1,000 + 200 rejected: null_user "
        "+ 60 dropped: exact_duplicate + 40 dropped: k_core"
    )
    test = data.manifest["negatives"]["test"]
    assert found[4] == f"split: leave-one-out; negatives a target: valid {test}, test {test}"
    assert "content (40 items)" in found[5]
    assert found[-1] == "wrote my data; next: solidrec train my data --out run"


def test_the_report_names_what_is_particular(data: PreparedData, timed: PreparedData) -> None:
    facts = timed.manifest["split_facts"]
    cuts = f"(validation from {facts['valid_from']}, test from {facts['test_from']})"
    assert any(line.startswith(f"split: time {cuts}; ") for line in lines(timed.manifest))
    bare = lines(
        data.manifest, split="none", negatives={"seed": 0}, modalities={}, notes=["a note"]
    )
    assert "split: none; negatives a target: none" in bare
    assert "item side: ids alone" in bare
    assert bare[-2:] == [
        "a note",
        "wrote my data; next: solidrec train my data --epochs-from RUN --out run",
    ]
    more = lines(data.manifest, catalog={"catalog_only": 1234})
    assert sum("1,234 items of the items file have no interaction" in line for line in more) == 1
    # rows whose ids differ in how they are written, or where most items have none, are hardly new
    for more in ({"written_otherwise": 1}, {"without_catalog_row": len(data.items) // 2 + 1}):
        told = lines(data.manifest, catalog={"catalog_only": 1234} | more)
        assert not any("items add" in line for line in told)


def test_a_matrix_is_reported_with_all_that_has_no_vector() -> None:
    why = {"missing": {"no_picture": 2000}, "unusable": {"bad": 1}, "notes": {"long": 3}}
    facts = {"encoded": 7000, "items": 9001, "encoder": "net", "width": 1280, **why}
    assert encoded_line("image", facts) == (
        "image: 7,000 of 9,001 items by net, 1,280 numbers each; no_picture 2,000; bad 1; long 3"
    )


@pytest.mark.parametrize("width", [1, 5, 11, 12, 13])
def test_a_text_is_cut_to_a_width(width: int) -> None:
    text = "twelve signs"
    found = shorten(text, width)
    assert len(found) == min(width, len(text))
    assert found == (text if width >= len(text) else text[: width - 1] + "…")

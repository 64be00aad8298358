from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec.cli.answers import _ids
from solidrec.data.prepared import PreparedData
from solidrec.id_map import IdMap

Solidrec = Callable[..., Any]


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    path = tmp_path / "batch.parquet"
    frame = pl.DataFrame(
        {"user": ["ann", "bob", "cyd"], "history": [["i03", "new", "i09"], [], None]}
    )
    frame.write_parquet(path)
    return path


def test_recommend_prints_a_table_and_what_it_ignored(solidrec: Solidrec, run_folder: Path) -> None:
    answer = solidrec("recommend", run_folder, "--history", " i03 , new,i09,", "-k", 3)
    assert answer.code == 0
    assert "for i03, new, i09" in answer.out
    assert answer.out.count("thing ") == 3
    assert answer.err == "ignored, not known to the model: new\n"


@pytest.mark.parametrize("history", ["", " ", ",,", "new"])
def test_without_a_known_item_popularity_answers_with_exit_code_0(
    solidrec: Solidrec, run_folder: Path, history: str
) -> None:
    answer = solidrec("recommend", run_folder, "--history", history, "-k", 2)
    assert answer.code == 0
    assert "answered by popularity" in answer.err
    assert (
        json.loads(solidrec("recommend", run_folder, "--history", history, "--json").out)[
            "fallback"
        ]
        == "popularity"
    )


def test_spaces_of_an_id_are_kept_where_the_model_knows_it_with_them() -> None:
    known = IdMap([" lead", "tail ", "x y", "x"])
    assert _ids(" lead,tail ,x y", ",", known=known) == [" lead", "tail ", "x y"]
    assert _ids("lead, x , x y,  ,tail", ",", known=known) == ["lead", "x", "x y", "tail"]


def test_history_items_are_left_out_unless_kept(solidrec: Solidrec, run_folder: Path) -> None:
    def items(*options: object) -> set[str]:
        answer = json.loads(
            solidrec(
                "recommend",
                run_folder,
                "--history",
                "i03;i09",
                "--separator",
                ";",
                "-k",
                99,
                "--json",
                *options,
            ).out
        )
        return {item["item"] for item in answer["items"]}

    assert len(items()) == 40 - 2
    assert items("--keep-history") - items() == {"i03", "i09"}


def test_a_file_of_histories(
    solidrec: Solidrec, run_folder: Path, batch: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    answer = solidrec("recommend", run_folder, "--batch", batch, "--out", out, "-k", 4, "--json")
    assert json.loads(answer.out) == {"users": 3, "rows": 3 * 4, "fallbacks": 2, "ignored": 1}
    frame = pl.read_parquet(out)
    assert frame.columns == ["user", "rank", "item", "score", "title"]
    assert frame["user"].to_list() == ["ann"] * 4 + ["bob"] * 4 + ["cyd"] * 4
    assert frame["rank"].to_list() == [1, 2, 3, 4] * 3
    single = json.loads(
        solidrec("recommend", run_folder, "--history", "i03,i09", "-k", 4, "--json").out
    )["items"]
    assert frame["item"].to_list()[:4] == [item["item"] for item in single]
    assert "wrote" in solidrec("recommend", run_folder, "--batch", batch, "--out", out).out


def test_a_file_of_events(solidrec: Solidrec, run_folder: Path, tmp_path: Path) -> None:
    events = pl.DataFrame({"user_id": [7, 8, 7], "item_id": ["i03", "i01", "i09"]})
    events.write_parquet(tmp_path / "events.parquet")
    out = tmp_path / "out.parquet"
    facts = json.loads(
        solidrec(
            "recommend",
            run_folder,
            "--batch",
            tmp_path / "events.parquet",
            "--out",
            out,
            "-k",
            2,
            "--json",
        ).out
    )
    assert facts == {"users": 2, "rows": 4, "fallbacks": 0, "ignored": 0}
    assert pl.read_parquet(out)["user"].to_list() == ["7", "7", "8", "8"]


@pytest.mark.parametrize(
    ("frame", "code", "text"),
    [
        (
            pl.DataFrame({"user": ["a"]}),
            2,
            "a 'history' column of lists is needed, or a user and an item column; found user",
        ),
        (
            pl.DataFrame({"history": ["i03,i09"]}),
            2,
            "the 'history' column holds String; a list of item ids is needed",
        ),
        (None, 65, "batch.parquet: cannot be read"),
    ],
)
def test_a_file_that_is_no_batch_is_one_line(
    solidrec: Solidrec,
    run_folder: Path,
    tmp_path: Path,
    frame: pl.DataFrame | None,
    code: int,
    text: str,
) -> None:
    path = tmp_path / "batch.parquet"
    if frame is None:
        path.write_text("no parquet")
    else:
        frame.write_parquet(path)
    answer = solidrec("recommend", run_folder, "--batch", path, "--out", tmp_path / "out.parquet")
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (code, "", 1)
    assert text in answer.err
    assert not (tmp_path / "out.parquet").exists()


def test_similar_items(solidrec: Solidrec, run_folder: Path) -> None:
    answer = json.loads(solidrec("similar", run_folder, "i03", "-k", 2, "--json").out)
    assert answer["item"] == "i03"
    assert [set(item) for item in answer["items"]] == [{"item", "score", "title"}] * 2
    assert "nearest to i03" in solidrec("similar", run_folder, "i03").out
    unknown = solidrec("similar", run_folder, "new")
    assert (unknown.code, unknown.out) == (2, "")
    assert "item 'new': the model does not know it" in unknown.err


def test_vectors_are_exported_and_their_product_is_the_score(
    solidrec: Solidrec, run_folder: Path, batch: Path, tmp_path: Path
) -> None:
    items, users = tmp_path / "items.parquet", tmp_path / "users.parquet"
    answer = solidrec("export", run_folder, "--items", items, "--users", users, "--batch", batch)
    assert answer.out == f"wrote {items}: 40 item vectors\nwrote {users}: 3 user vectors\n"
    table, ann = pl.read_parquet(items), pl.read_parquet(users).row(0)
    assert ann[0] == "ann"
    scores = dict(zip(table["item"], (table["vector"].to_numpy() @ ann[1]).tolist(), strict=True))
    best = json.loads(
        solidrec("recommend", run_folder, "--history", "i03,i09", "-k", 3, "--json").out
    )["items"]
    assert [scores[item["item"]] for item in best] == pytest.approx(
        [item["score"] for item in best], abs=1e-5
    )


def test_titles_are_printed_as_they_are(
    solidrec: Solidrec, walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]], tmp_path: Path
) -> None:
    log, items = walk(users=20)
    odd = "[/b] :smile: [red]"
    items.with_columns(title=pl.lit(odd)).write_parquet(tmp_path / "items.parquet")
    log.write_parquet(tmp_path / "log.parquet")
    made = solidrec(
        "prepare",
        tmp_path / "log.parquet",
        "--items",
        tmp_path / "items.parquet",
        "--out",
        tmp_path / "data",
    )
    assert made.code == 0
    run = tmp_path / "run"
    assert (
        solidrec(
            "train",
            tmp_path / "data",
            "--epochs",
            1,
            "--model",
            "static",
            "--set",
            "model.dim=4",
            "--out",
            run,
        ).code
        == 0
    )
    answer = solidrec("recommend", run, "--history", "[/i],i03", "-k", 2)
    assert answer.code == 0
    assert answer.out.count(odd) == 2
    assert "ignored, not known to the model: [/i]" in answer.err


@pytest.mark.parametrize(
    "command", [["recommend", "--history", "i03"], ["similar", "i03"], ["evaluate"], ["inspect"]]
)
def test_folders_that_are_no_good_runs(
    solidrec: Solidrec, run_folder: Path, data: PreparedData, tmp_path: Path, command: list[str]
) -> None:
    import shutil

    name, *rest = command
    assert solidrec(name, tmp_path, *rest).code == 74
    assert solidrec(name, tmp_path / "nowhere", *rest).code == 74
    run = Path(shutil.copytree(run_folder, tmp_path / "run"))
    with (run / "weights.safetensors").open("r+b") as stream:
        stream.truncate(1000)
    answer = solidrec(name, run, *rest)
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (77, "", 1)
    assert "weights.safetensors: is truncated or changed (file 1,000 B, manifest" in answer.err


def test_a_device_that_is_not_there(solidrec: Solidrec, run_folder: Path) -> None:
    answer = solidrec("recommend", run_folder, "--history", "i03", "--device", "abacus")
    assert (answer.code, len(answer.err.splitlines())) == (2, 1)


def test_rules_are_options(solidrec: Solidrec, run_folder: Path, tmp_path: Path) -> None:
    def found(*options: object) -> list[str]:
        words = ("recommend", run_folder, "--history", "i03,i09", "-k", 40, *options, "--json")
        answer = solidrec(*words)
        assert answer.code == 0, answer.err
        return [item["item"] for item in json.loads(answer.out)["items"]]

    plain = found()
    kind = [item for item in plain if int(item[1:]) // 5 == 2]
    assert found("--filter", '"kind 2" in categories') == kind
    assert found("--exclude", f" {plain[0]} ,{plain[1]}") == plain[2:]
    assert found("--candidates", ",".join(kind)) == kind
    assert found("--boost", '"kind 2" in categories=1e9')[: len(kind)] == kind
    assert len(found("--at-most", "categories=1")) == 8
    assert sorted(found("--diversity", 0.5)) == sorted(plain)


def test_rules_hold_for_files_of_histories(
    solidrec: Solidrec, run_folder: Path, batch: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    words = ("--batch", batch, "--out", out, "-k", 3, "--filter", "title == 'thing 7 of kind 1'")
    assert solidrec("recommend", run_folder, *words).code == 0
    assert pl.read_parquet(out)["item"].to_list() == ["i07"] * 3


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--filter", "prize < 3"], "no column 'prize'; known: item, title, categories"),
        (["--boost", "on_sale"], "'on_sale': write KEY=VALUE"),
        (["--boost", "title == 'a'=x"], "--boost ...=x: a number is needed"),
        (["--at-most", "categories=1.5"], "--at-most ...=1.5: a number is needed"),
        (["--at-most", "categories=0"], "at_most.categories: input should be greater than"),
        (["--diversity", "2"], "diversity: input should be less than or equal to 1"),
    ],
)
def test_rules_that_are_wrong_are_one_line(
    solidrec: Solidrec, run_folder: Path, options: list[str], why: str
) -> None:
    answer = solidrec("recommend", run_folder, "--history", "i03", *options)
    assert answer.code == 2
    assert why in answer.err
    assert answer.err.count("\n") == 1


def test_recommendations_say_because_of_what(solidrec: Any, run_folder: Path) -> None:
    words = ("recommend", run_folder, "--history", "i01,i06", "-k", 3, "--because")
    found = json.loads(solidrec(*words, "--json").out)["items"]
    assert all(
        {event["item"] for event in one["because"]["events"]} <= {"i01", "i06"} for one in found
    )
    assert any(one["because"]["events"] for one in found)
    shown = solidrec(*words).out
    assert "because of" in shown
    assert "thing 1 of kind 0" in shown

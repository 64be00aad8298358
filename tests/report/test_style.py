"""The frame and the style sheet have the places that a page fills, and no others."""

from __future__ import annotations

from importlib.resources import files

from solidrec.report.style import PAGE, STYLE


def test_the_frame_has_a_place_for_each_part() -> None:
    places = {"title", "style", "head", "lead", "links", "sections", "foot", "end"}
    assert set(PAGE.get_identifiers()) == places
    filled = PAGE.substitute(dict.fromkeys(places, "a $ sign"))
    assert filled.count("a $ sign") == len(places) + 1  # the title is the heading too


def test_the_style_sheet_has_the_tones_by_day_and_by_night_and_the_file_as_it_is() -> None:
    assert sorted(STYLE.get_identifiers()) == ["dark", "light"]
    filled = STYLE.substitute(light="--ink: black;", dark="--ink: white;")
    day, night = filled.split("@media screen and (prefers-color-scheme: dark)")
    assert "--ink: black;" in day
    assert "--ink: white;" in night
    sheet = files("solidrec.report").joinpath("page.css").read_text(encoding="utf-8")
    assert filled.endswith(sheet)

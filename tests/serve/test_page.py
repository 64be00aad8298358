"""The page at ``/``: nothing from elsewhere, and, in a real browser, what a person sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from solidrec.api import Model
from solidrec.errors import StorageError
from solidrec.serve.page import pictures_in


def test_the_page_is_three_files_that_may_load_nothing_from_elsewhere(ask: Any) -> None:
    for response in ask(("GET", "/", {}), ("GET", "/page.css", {}), ("GET", "/page.js", {})):
        assert response.status_code == 200
        assert "default-src 'self'" in response.headers["content-security-policy"]
        assert (
            re.findall(r"https?://|//[a-z]|@import", response.text.replace("<!doctype", "")) == []
        )
    page = ask(("GET", "/", {}))[0].text
    assert "<script src=" in page
    assert not re.search(r"<script(?! src)|<style|\son\w+=", page)  # nothing inline


def test_a_search_finds_items_and_needs_the_token(ask: Any) -> None:
    found = ask(("GET", "/v1/search?q=thing 7 of", {}))[0].json()
    assert found["items"] == [{"item": "i07", "title": "thing 7 of kind 1"}]
    token = "secret-secret-secret"
    headers = {"authorization": f"Bearer {token}"}
    none, good, page = ask(
        ("GET", "/v1/search?q=a", {}),
        ("GET", "/v1/search?q=a", {"headers": headers}),
        ("GET", "/", {}),
        token=token,
    )
    assert (none.status_code, good.status_code, page.status_code) == (401, 200, 200)
    refused = ask(
        ("GET", "/v1/search?k=1e9999secret", {}), ("DELETE", f"/v1/users/{'u' * 257}", {})
    )
    assert [(one.status_code, one.json()) for one in refused] == [
        (422, {"error": f"{name}: is of another form; see /openapi.json"}) for name in ("k", "user")
    ]


def test_pictures_are_looked_up_by_item_and_never_opened_by_path(
    version: Any, tmp_path: Path, pixel: bytes
) -> None:
    import asyncio

    from solidrec.serve.app import Application
    from solidrec.serve.limits import Limits
    from solidrec.serve.service import Service

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "i07.png").write_bytes(pixel)
    (tmp_path / "secret.png").write_bytes(b"secret")
    app = Application(Service(version, Limits()), pictures=pictures_in(tmp_path / "in"))

    async def get(path: str) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://solidrec") as client:
            return await client.get(path)

    found = asyncio.run(get("/pictures/i07"))
    assert (found.content, found.headers["content-type"]) == (pixel, "image/png")
    for name in ("i08", "../secret", "%2e%2e%2fsecret", "..%2Fin%2Fi07", "i07.png"):
        assert asyncio.run(get(f"/pictures/{name}")).status_code == 404
    assert asyncio.run(get("/v1/models")).json()["pictures"] is True


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="has no picture; name them after their items"):
        pictures_in(tmp_path)
    with pytest.raises(StorageError, match="cannot be read"):
        pictures_in(tmp_path / "none")


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page, which must not complain, nor ask anybody else."""
    shown = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    shown.on("console", lambda message: complaints.append(message.text))
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.on(
        "request", lambda one: one.url.startswith((address, "data:")) or complaints.append(one.url)
    )
    shown.goto(address)
    yield shown
    shown.close()
    # An item without a picture is asked for once, and not found.
    assert [text for text in complaints if "404" not in text] == []


def counted(page: Any, selector: str, count: int) -> None:
    """Wait until so many elements are there."""
    api = pytest.importorskip("playwright.sync_api")
    api.expect(page.locator(selector)).to_have_count(count)


def texts(page: Any, list_: str) -> list[str]:
    found: list[str] = page.locator(f"#{list_} button").all_inner_texts()
    return [text.splitlines()[0] for text in found]


@pytest.mark.serving
def test_recommendations_change_as_the_history_grows(page: Any, trained: Model) -> None:
    page.wait_for_selector("#popular button")
    page.fill("#search", "thing 7 of")
    counted(page, "#found button", 1)
    page.click("#found button")
    page.wait_for_selector("#events table")
    expected = [one["title"] for one in trained.recommend(["i07"]).items]
    assert texts(page, "answer") == expected
    assert texts(page, "beside") == expected
    assert page.locator("#history img").count() == 1
    assert "because of thing 7" in page.locator("#answer").inner_text()
    # Press the first recommendation: it joins the history.
    page.click("#answer button >> nth=0")
    counted(page, "#history button", 2)
    counted(page, "#events tbody tr", 2)
    first = trained.recommend(["i07"]).items[0]["item"]
    assert texts(page, "answer") == [
        one["title"] for one in trained.recommend(["i07", first]).items
    ]
    assert "The branch moves the weights" in page.locator("#branch").inner_text()
    assert page.locator("#events th").all_inner_texts()[:3] == ["Event", "Semantic ids", "Code"]
    page.click("#clear")
    counted(page, "#history button", 0)


@pytest.mark.serving
def test_it_is_used_by_keyboard_alone(page: Any) -> None:
    page.wait_for_selector("#found button")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("thing 12 of")
    counted(page, "#found button", 1)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel").startswith("Add thing 12 ")
    page.keyboard.press("Enter")
    counted(page, "#history button", 1)


@pytest.mark.serving
def test_nothing_is_wider_than_a_phone(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_selector("#found button")
    page.click("#found button >> nth=0")
    page.wait_for_selector("#events table")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

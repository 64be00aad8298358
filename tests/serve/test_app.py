"""The HTTP interface: answers are those of the model, refusals have their status and no echo."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import httpx2
import numpy as np
import pytest

from solidrec.api import Model
from solidrec.kit.export_kit import group_weights
from solidrec.kit.packet import decode, model_id
from solidrec.recommend.inspect_user import inspected
from solidrec.recommend.parameters import generated
from solidrec.serve.app import Application
from solidrec.serve.limits import Limits
from solidrec.serve.service import Service
from solidrec.serve.versions import Version

Ask = Callable[..., list[Any]]
HISTORY = ["i03", "i09"]


def post(path: str, **body: Any) -> tuple[str, str, dict[str, Any]]:
    return "POST", f"/v1/{path}", {"json": body}


def raw(content: bytes, **headers: str) -> tuple[str, str, dict[str, Any]]:
    named = {"content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return "POST", "/v1/recommend", {"content": content, "headers": named}


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"k": 3},
        {"filter": "price < 20"},
        {"exclude": ["i14"], "boost": {"price > 30": 2.0}},
        {"candidates": ["i01", "i02", "i30"]},
        {"diversity": 0.5, "at_most": {"categories": 1}},
        {"keep_history": True},
    ],
)
def test_an_answer_is_that_of_the_model(
    ask: Ask, trained: Model, version: Version, rules: dict[str, Any]
) -> None:
    response = ask(post("recommend", history=[*HISTORY, "new"], **rules))[0]
    assert response.status_code == 200
    answer, expected = response.json(), trained.recommend([*HISTORY, "new"], **rules)
    assert [one["item"] for one in answer["items"]] == [one["item"] for one in expected.items]
    np.testing.assert_allclose(
        [one["score"] for one in answer["items"]],
        [one["score"] for one in expected.items],
        atol=1e-5,
    )
    assert answer["ignored"] == ["new"]
    assert answer["fallback"] is None
    assert answer["model_version"] == version.name


@pytest.mark.parametrize("history", [[], ["unknown"], ["unknown"] * 1000])
def test_s3_a_history_without_a_known_item_is_answered_by_popularity(
    ask: Ask, trained: Model, history: list[str]
) -> None:
    answer = ask(post("recommend", history=history, k=5))[0].json()
    assert answer["fallback"] == "popularity"
    assert answer["items"] == trained.recommend(history, 5).items


def test_scores_come_in_the_order_of_the_items(ask: Ask, trained: Model) -> None:
    answer = ask(post("score", history=HISTORY, items=["i30", "x", "i03", "i30"]))[0].json()
    everything = trained.recommend(HISTORY, 40, keep_history=True).items
    scores = {one["item"]: one["score"] for one in everything}
    assert [one["item"] for one in answer["items"]] == ["i30", "i03"]
    assert [one["score"] for one in answer["items"]] == pytest.approx(
        [scores["i30"], scores["i03"]], abs=1e-5
    )
    assert answer["ignored"] == ["x"]


def test_similar_items_and_an_item_that_nobody_knows(ask: Ask, trained: Model) -> None:
    found, unknown = ask(post("similar", item="i03", k=4), post("similar", item="<b>"))
    assert found.json()["items"] == trained.similar("i03", 4)
    assert unknown.status_code == 404
    assert "<b>" not in unknown.text


def test_parameters_are_the_generated_weights(ask: Ask, trained: Model) -> None:
    answer = ask(post("parameters", history=HISTORY))[0].json()
    expected = generated(trained.engine, HISTORY)
    assert answer["parameters"].keys() == expected.keys()
    for slot, array in expected.items():
        sent = answer["parameters"][slot]
        values = np.frombuffer(base64.b64decode(sent["data"]), "<f4").reshape(sent["shape"])
        np.testing.assert_allclose(values, array, atol=1e-6)


def test_items_change_without_a_restart(ask: Ask, trained: Model) -> None:
    first = trained.recommend(HISTORY, 1).items[0]["item"]
    cheap = post("recommend", history=HISTORY, k=40, filter="price < 0")
    best = post("recommend", history=HISTORY, k=1)

    def patch(**body: Any) -> tuple[str, str, dict[str, Any]]:
        return "PATCH", "/v1/items", {"json": body}

    answers = ask(
        patch(set={"i07": {"price": -1}, "x": {"price": 1}}),
        cheap,
        patch(remove=[first, "y"]),
        best,
        patch(restore=[first]),
        best,
        patch(set={"i07": {"prize": 1}}),
        patch(set={"i07": {"price": "much"}}),
        patch(remove=["i01"], restore=["i01"]),
    )
    assert answers[0].json()["unknown"] == ["x"]
    assert [one["item"] for one in answers[1].json()["items"]] == ["i07"]
    assert answers[2].json()["unknown"] == ["y"]
    assert answers[3].json()["items"][0]["item"] != first
    assert answers[5].json()["items"][0]["item"] == first
    assert [one.status_code for one in answers[6:]] == [422, 422, 422]
    assert "did you mean 'price'" in answers[6].json()["error"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"history": ["\\ud800"]}', 400),
        (b"[" * 100_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b"{}", 422),
        (b'{"history": "i03"}', 422),
        (b'{"history": [3]}', 422),
        (b'{"history": [""]}', 422),
        (b'{"history": [null]}', 422),
        (json.dumps({"history": ["i" * 257]}).encode(), 422),
        (json.dumps({"history": ["i"] * 1001}).encode(), 422),
        (b'{"history": [], "k": true}', 422),
        (b'{"history": [], "k": 1.0}', 422),
        (b'{"history": [], "k": "3"}', 422),
        (b'{"history": [], "k": 0}', 422),
        (b'{"history": [], "k": -1}', 422),
        (b'{"history": [], "k": 1001}', 422),
        (b'{"history": [], "k": ' + b"9" * 30 + b"}", 422),
        (b'{"history": [], "k": ' + b"9" * 5000 + b"}", 400),
        (b'{"history": [], "diversity": NaN}', 422),
        (b'{"history": [], "diversity": 1e400}', 422),
        (b'{"history": [], "boost": {"price < 3": 0}}', 422),
        (b'{"history": [], "candidates": []}', 422),
        (b'{"history": [], "filter": "prize < 3"}', 422),
        (b'{"history": [], "filter": "__import__(1)"}', 422),
        (b'{"history": [], "at_most": {"x": 1}}', 422),
        (b'{"history": [], "secret<script>": 1}', 422),
        (json.dumps({"history": [], "candidates": ["c"] * 5001}).encode(), 422),
    ],
)
def test_s6_what_is_no_request_is_refused_and_not_repeated(
    ask: Ask, content: bytes, status: int
) -> None:
    refused, after = ask(raw(content), post("recommend", history=HISTORY))
    assert refused.status_code == status
    assert set(refused.json()) == {"error"}
    assert "script" not in refused.text
    assert len(refused.content) < 600
    assert after.status_code == 200


def test_s8_large_compressed_and_other_bodies_are_refused(ask: Ask) -> None:
    large = b'{"history": ["' + b"i" * 300_000 + b'"]}'
    statuses = [
        one.status_code
        for one in ask(
            raw(large),
            raw(b"{}", content_type="text/plain"),
            raw(b"{}", content_encoding="gzip"),
            ("GET", "/v1/recommend", {}),
            ("POST", "/v1/nothing", {}),
        )
    ]
    assert statuses == [413, 415, 415, 405, 404]


def test_s16_a_token_is_needed_where_there_is_one(ask: Ask) -> None:
    def given(*names: str) -> list[Any]:
        return [
            ("POST", "/v1/recommend", {"json": {"history": []}, "headers": {"authorization": name}})
            for name in names
        ]

    found = ask(
        *given("Bearer secret-secret-secret", "Bearer secret-secret-secreT", "", "Basic x"),
        post("recommend", history=[]),
        ("GET", "/v1/models", {}),
        ("GET", "/live", {}),
        token="secret-secret-secret",
    )
    assert [one.status_code for one in found] == [200, 401, 401, 401, 401, 401, 200]
    assert all("secret" not in one.text for one in found[1:])


def test_s15_state_and_description(ask: Ask, version: Version) -> None:
    live, ready, models, metrics, described = ask(
        ("GET", "/live", {}),
        ("GET", "/ready", {}),
        ("GET", "/v1/models", {}),
        ("GET", "/metrics", {}),
        ("GET", "/openapi.json", {}),
    )
    assert live.status_code == ready.status_code == 200
    assert models.json()["current"] == version.name
    assert models.json()["columns"]["price"] == "Int64"
    assert f'solidrec_model{{version="{version.name}"}} 1.0' in metrics.text
    paths = described.json()["paths"]
    assert {"/v1/recommend", "/v1/score", "/v1/similar", "/v1/parameters", "/v1/items"} <= {*paths}
    body = paths["/v1/recommend"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"history", "k", "filter"} <= {*body["properties"]}
    assert body["example"]["history"]


def test_every_example_of_the_description_is_answered(ask: Ask) -> None:
    """With ids and columns that these items have."""
    described = ask(("GET", "/openapi.json", {}))[0].json()
    for path, methods in described["paths"].items():
        for method, found in methods.items():
            if "requestBody" in found:
                schema = found["requestBody"]["content"]["application/json"]["schema"]
                text = json.dumps(schema["example"])
                for before, now in (('"50"', '"i05"'), ('"181"', '"i18"'), ("9.5", "9")):
                    text = text.replace(before, now)
                response = ask((method.upper(), path, {"json": json.loads(text)}))[0]
                expected = 404 if path == "/v1/beside" else 200  # no model is beside it
                assert response.status_code == expected, (path, response.text)


def test_an_answer_says_why_if_it_is_asked(ask: Ask, trained: Model) -> None:
    answer = ask(post("recommend", history=HISTORY, k=3, because=True))[0].json()
    expected = trained.because(HISTORY, [one["item"] for one in answer["items"]])
    for one, own in zip(answer["items"], expected, strict=True):
        assert [event["item"] for event in one["because"]["events"]] == [
            event["item"] for event in own["events"]
        ]
    assert "because" not in ask(post("recommend", history=HISTORY))[0].json()["items"][0]
    assert ask(post("recommend", history=[], because=True))[0].json()["items"][0]["because"] == {
        "events": []
    }


def test_what_a_model_makes_of_a_history_is_shown(ask: Ask, trained: Model) -> None:
    found = ask(post("inspect", history=[*HISTORY, "x"]))[0].json()
    assert [event["item"] for event in found["events"]] == HISTORY
    assert found["branch"] == pytest.approx(inspected(trained.engine, HISTORY)["branch"])
    assert ask(post("inspect", history=[]))[0].json()["events"] == []


def test_a_model_beside_is_asked_by_its_own_path(ask: Ask) -> None:
    response = ask(post("beside", history=HISTORY))[0]
    assert response.status_code == 404
    assert response.json() == {"error": "no model is served beside this one"}


def test_parameters_come_as_a_packet_by_accept(ask: Ask, trained: Model) -> None:
    accept = {"headers": {"accept": "application/vnd.solidrec.packet"}}
    name = model_id(trained.run.manifest["files"]["weights.safetensors"]["sha256"])
    method, path, body = post("parameters", history=HISTORY, precision="fp32")
    response = ask((method, path, body | accept))[0]
    assert response.headers["content-type"] == "application/vnd.solidrec.packet"
    found = decode(response.content, model=name).tensors
    for slot, tensor in generated(trained.engine, HISTORY).items():
        assert found[slot] == pytest.approx(tensor, abs=1e-6)
    method, path, body = post("parameters", history=HISTORY, precision="int8", delta=True)
    small = ask((method, path, body | accept))[0].content
    assert len(small) < len(response.content) / 2
    base = group_weights(trained.engine)
    for slot, tensor in decode(small, model=name, base=base).tensors.items():
        assert tensor == pytest.approx(found[slot], abs=0.05)
    refused = ask((method, path, {"json": {"history": 3}} | accept))[0]
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/json")
    method, path, body = post("recommend", history=HISTORY)  # there is no other packet
    assert ask((method, path, body | accept))[0].json()["items"]


def test_s10_while_the_queue_is_full_a_request_is_refused_unread(version: Version) -> None:
    async def asked() -> list[Any]:
        service = Service(version, Limits.parse({"queue": 1}))
        app = Application(service)
        service.start()
        batcher: Any = service.batcher
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://solidrec") as client:
            batcher.waiting.append(None)
            full = await client.post("/v1/recommend", content=b"no JSON at all")
            other = await client.post("/v1/similar", json={"item": "i03"})
            batcher.waiting.clear()
            free = await client.post("/v1/recommend", json={"history": ["i03"]})
        await service.stop()
        return [full, other, free]

    full, other, free = asyncio.run(asked())
    assert (full.status_code, full.headers["retry-after"]) == (503, "1")
    assert full.json() == {"error": "too many requests wait; try again"}
    assert (other.status_code, free.status_code) == (200, 200)

"""Versions change under load without a failed request, or are refused and nothing changes."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx2
import pytest

from solidrec.api import Model, train
from solidrec.artifacts import MANIFEST
from solidrec.json_files import sealed, unsealed
from solidrec.runs import copy_run, load_run
from solidrec.serve.admin import folder_of, make_admin
from solidrec.serve.app import Application
from solidrec.serve.limits import Limits
from solidrec.serve.refusals import Refused
from solidrec.serve.service import Service
from solidrec.serve.versions import Version
from solidrec.updates.delisted import without

TOKEN = "a-token-of-the-admin"
HEADERS = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def models(trained: Model, tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs: the one that is served, another training, a damaged and a false one."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(trained.run.path, folder / "first")
    data = trained.run.manifest["data"]["path"]
    train(
        data,
        model="solid-duet",
        seed=5,
        epochs=2,
        out=folder / "second",
        settings=tiny,
        progress=False,
    )
    shutil.copytree(folder / "second", folder / "damaged")
    weights = folder / "damaged" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    shutil.copytree(folder / "second", folder / "false")
    _falsify(folder / "false")
    (folder / "empty").mkdir()
    (folder / "outside").symlink_to(trained.run.path)
    return folder


def _falsify(run: Path) -> None:
    """Give a run golden answers that are not its model's, and a manifest that fits them."""
    from solidrec.artifacts import sha256

    golden = json.loads((run / "golden.json").read_text())
    golden["scores"][0][0] += 1
    (run / "golden.json").write_text(json.dumps(golden))
    manifest = unsealed(json.loads((run / MANIFEST).read_text()))
    size = (run / "golden.json").stat().st_size
    manifest["files"]["golden.json"] = {"bytes": size, "sha256": sha256(run / "golden.json")}
    (run / MANIFEST).write_text(json.dumps(sealed(manifest)))


Work = Callable[[httpx2.AsyncClient, httpx2.AsyncClient, Service], Coroutine[Any, Any, Any]]


def running(models: Path, work: Work) -> Any:
    """Do work with a client of the service, one of its admin, and the service."""

    async def run() -> Any:
        service = Service(Version.load(models / "first", max_batch=4), Limits())
        service.start()
        admin = make_admin(service, models=models, token=TOKEN)
        apps = (Application(service), admin)
        transports = [httpx2.ASGITransport(app=app, raise_app_exceptions=False) for app in apps]
        one, two = (httpx2.AsyncClient(transport=each, base_url="http://x") for each in transports)
        async with one as client, two as changing:
            try:
                return await work(client, changing, service)
            finally:
                await service.stop()

    return asyncio.run(run())


def test_s12_versions_change_under_load_and_no_request_fails(models: Path) -> None:
    async def work(client: Any, admin: Any, service: Service) -> tuple[Counter[Any], list[int]]:
        seen: Counter[Any] = Counter()
        stopped = False

        async def load() -> None:
            while not stopped:
                found = await client.post("/v1/recommend", json={"history": ["i03"], "k": 3})
                seen[found.status_code, found.json().get("model_version")] += 1

        clients = [asyncio.create_task(load()) for _ in range(4)]
        swaps = []
        for name in ("second", "first", "second"):
            found = await admin.post(f"/models/{name}", params={"force": True}, headers=HEADERS)
            swaps.append(found.status_code)
        swaps.append((await admin.post("/rollback", headers=HEADERS)).status_code)
        await asyncio.sleep(0.1)
        stopped = True
        await asyncio.gather(*clients)
        return seen, swaps

    seen, swaps = running(models, work)
    assert swaps == [200] * 4
    assert {status for status, _ in seen} == {200}
    names = {version for _, version in seen}
    assert {name.rpartition("-")[0] for name in names} == {"first", "second"}


def test_s13_what_is_damaged_or_answers_otherwise_is_refused(models: Path) -> None:
    async def work(client: Any, admin: Any, service: Service) -> list[Any]:
        before = service.names()
        found = []
        for name in ("damaged", "false", "empty"):
            response = await admin.post(f"/models/{name}", headers=HEADERS)
            found.append((response.status_code, response.json()["error"]))
        assert service.names() == before
        assert (await client.post("/v1/recommend", json={"history": []})).status_code == 200
        return found

    found = running(models, work)
    assert [status for status, _ in found] == [409, 409, 409]
    assert "answers otherwise than when it was written" in found[1][1]


def test_a_version_that_answers_quite_otherwise_needs_force(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solidrec.serve.admin.LEAST_OVERLAP", 0.999)

    async def work(client: Any, admin: Any, service: Service) -> list[Any]:
        refused = await admin.post("/models/second", headers=HEADERS)
        forced = await admin.post("/models/second?force=true", headers=HEADERS)
        same = await admin.post("/models/second", headers=HEADERS)
        return [refused, forced, same]

    refused, forced, same = running(models, work)
    assert (refused.status_code, forced.status_code, same.status_code) == (409, 200, 200)
    assert "overlap" in refused.json()["error"]
    assert same.json()["overlap"] == 1
    assert 0 < forced.json()["overlap"] < 1


def test_what_was_changed_about_items_holds_for_the_next_version(models: Path) -> None:
    async def work(client: Any, admin: Any, service: Service) -> list[Any]:
        await client.request(
            "PATCH", "/v1/items", json={"set": {"i07": {"price": -5}}, "remove": ["i08"]}
        )
        await admin.post("/models/second?force=true", headers=HEADERS)
        found = []
        for text in ("price < 0", "price == 8"):
            body = {"history": ["i03"], "k": 40, "filter": text}
            answer = (await client.post("/v1/recommend", json=body)).json()
            found.append([item["item"] for item in answer["items"]])
        await client.request("PATCH", "/v1/items", json={"restore": ["i08"]})
        await admin.post("/rollback", headers=HEADERS)
        answer = (await client.post("/v1/recommend", json=body)).json()
        return [*found, [item["item"] for item in answer["items"]]]

    assert running(models, work) == [["i07"], [], ["i08"]]


def test_s16_every_request_needs_the_token_and_a_version_before(models: Path) -> None:
    async def work(client: Any, admin: Any, service: Service) -> list[int]:
        wrong = {"authorization": "Bearer another"}
        found = [
            await admin.get("/models", headers=wrong),
            await admin.post("/models/second", headers=wrong),
            await admin.post("/rollback"),
            await admin.get("/models", headers=HEADERS),
            await admin.post("/rollback", headers=HEADERS),
        ]
        return [one.status_code for one in found]

    assert running(models, work) == [401, 401, 401, 200, 409]


@pytest.mark.parametrize(
    "name",
    [
        "..",
        ".",
        "",
        "../first",
        "%2e%2e",
        "/etc",
        "a/b",
        "a\0b",
        "first\n",
        "．．",
        "x" * 65,
        "none",
    ],
)
def test_s17_names_are_those_of_folders_inside(models: Path, name: str) -> None:
    with pytest.raises(Refused) as caught:
        folder_of(models, name)
    assert caught.value.status == 404


def test_s17_links_that_lead_outside_are_refused(models: Path) -> None:
    assert folder_of(models, "first") == models / "first"
    with pytest.raises(Refused):
        folder_of(models, "outside")


def test_a_shadow_answers_beside_the_model_until_it_is_taken_away(models: Path) -> None:
    async def work(client: Any, admin: Any, service: Service) -> list[Any]:
        none = await admin.post("/shadow/second?share=1", headers={})
        bad = await admin.post("/shadow/damaged", headers=HEADERS)
        with_it = await admin.post("/shadow/second?share=1", headers=HEADERS)
        answer = await client.post("/v1/recommend", json={"history": ["i03"]})
        while service.shadow is not None and service.shadow.tasks:
            await asyncio.sleep(0.01)
        text = service.metrics.text().decode()
        without = await admin.delete("/shadow", headers=HEADERS)
        return [none, bad, with_it, answer, text, without]

    none, bad, with_it, answer, text, without = running(models, work)
    assert (none.status_code, bad.status_code) == (401, 409)
    assert with_it.json()["shadow"].startswith("second-")
    assert answer.json()["model_version"].startswith("first-")
    assert "solidrec_shadow_overlap_count 1.0" in text
    assert without.json()["shadow"] is None


def test_items_that_a_version_delists_stay_away_after_a_swap_and_a_rollback(
    models: Path, trained: Model
) -> None:
    copy_run(without(load_run(models / "second"), ["i00", "i01"]), models / "delisting", facts={})

    async def work(client: Any, admin: Any, service: Service) -> list[Any]:
        async def shown() -> set[str]:
            body = {"history": ["i03"], "k": 40, "keep_history": True}
            answer = (await client.post("/v1/recommend", json=body)).json()
            return {item["item"] for item in answer["items"]}

        await client.request("PATCH", "/v1/items", json={"remove": ["i07"]})
        found = [await shown()]
        await admin.post("/models/delisting?force=true", headers=HEADERS)
        found.append(await shown())
        await client.request("PATCH", "/v1/items", json={"restore": ["i01", "i07"]})
        found.append(await shown())
        await admin.post("/rollback", headers=HEADERS)
        found.append(await shown())
        return found

    everything = set(trained.run.items.ids)
    found = running(models, work)
    assert [sorted(everything - one) for one in found] == [
        ["i07"],
        ["i00", "i01", "i07"],
        ["i00"],
        [],
    ]


def test_a_rollback_leaves_out_values_that_do_not_fit(models: Path) -> None:
    async def work(client: Any, admin: Any, service: Service) -> list[Any]:
        await admin.post("/models/second?force=true", headers=HEADERS)
        service.values["i03"] = {"price": "9 eur", "nothing": 1}  # as a version with texts took it
        return [await admin.post("/rollback", headers=HEADERS)]

    assert running(models, work)[0].status_code == 200


def test_what_changes_about_items_holds_for_the_shadow(models: Path) -> None:
    async def work(client: Any, admin: Any, service: Service) -> list[Any]:
        best = (await client.post("/v1/recommend", json={"history": ["i03"]})).json()["items"]
        gone = [item["item"] for item in best[:5]]
        await client.request("PATCH", "/v1/items", json={"remove": gone[:2]})
        await admin.post("/shadow/first?share=1", headers=HEADERS)
        await client.request("PATCH", "/v1/items", json={"remove": gone})
        await client.post("/v1/recommend", json={"history": ["i03"]})
        while service.shadow is not None and service.shadow.tasks:
            await asyncio.sleep(0.01)
        return [service.metrics.text().decode()]

    assert "solidrec_shadow_overlap_sum 1.0" in running(models, work)[0]

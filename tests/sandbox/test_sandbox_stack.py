"""The stack the sandbox plays besides Kai: its objects, jobs and the preview, per branch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from kai_tui.sandbox import configs, jobs
from kai_tui.sandbox.branches import MAIN_ID, on_branch
from kai_tui.sandbox.project import Project
from kai_tui.sandbox.server import create_app
from kai_tui.sandbox.tools import TOOLS
from kai_tui.sandbox.transport import StreamingASGITransport
from kai_tui.sandbox.workplace import CRM, DAILY, SHOP, SUPPORT
from tests.sandbox.chatter import BASE, TOKEN

FIX_CRM = 20_261


@pytest.fixture
async def stack() -> AsyncIterator[tuple[httpx.AsyncClient, Project]]:
    project = Project.open(":memory:")
    transport = StreamingASGITransport(create_app(project, service="agent", token=TOKEN, pace=0))
    async with httpx.AsyncClient(
        transport=transport, base_url=BASE, headers={"x-storageapi-token": TOKEN}
    ) as client:
        yield client, project
    project.close()


async def got(client: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def said(rows: list[dict[str, Any]]) -> str:
    return rows[0]["value"]


async def test_descriptions_are_metadata(stack: tuple[httpx.AsyncClient, Project]) -> None:
    client, project = stack
    TOOLS["update_descriptions"].run(
        project,
        {"updates": [
            {"item_id": "in.c-crm", "description": "About customers"},
            {"item_id": "in.c-crm.customers", "description": "One row each"},
            {"item_id": "in.c-crm.customers.name", "description": "Full name"},
        ]},
    )  # fmt: skip
    bucket = await got(client, "/v2/storage/buckets/in.c-crm")
    assert said(bucket["metadata"]) == "About customers"
    table = await got(client, "/v2/storage/tables/in.c-crm.customers")
    assert (said(table["metadata"]), table["bucket"]["id"]) == ("One row each", "in.c-crm")
    assert said(table["columnMetadata"]["name"]) == "Full name"
    (row,) = await got(client, "/v2/storage/branch/default/metadata")
    assert (row["key"], row["value"]) == ("KBC.projectDescription", project.fact("description"))


async def test_configurations_are_as_the_storage_api_has_them(
    stack: tuple[httpx.AsyncClient, Project],
) -> None:
    client, _ = stack
    shop = await got(client, f"/v2/storage/branch/{MAIN_ID}/components/{SHOP[0]}/configs/{SHOP[1]}")
    assert shop["configuration"]["parameters"]["db"]["database"] == "shop"
    assert [row["configuration"]["parameters"]["table"] for row in shop["rows"]][:2] == [
        "orders",
        "order_items",
    ]
    row = await got(client, f"/v2/storage/components/{SHOP[0]}/configs/{SHOP[1]}/rows/r2")
    assert row["name"] == "order_items"
    flow = await got(client, f"/v2/storage/components/{DAILY[0]}/configs/{DAILY[1]}")
    assert [phase["name"] for phase in flow["configuration"]["phases"]] == ["Extract", "Transform", "Deliver"]
    listed = await got(client, f"/v2/storage/branch/default/components/{SHOP[0]}/configs")
    assert [each["id"] for each in listed] == [SHOP[1]]
    assert {each["id"] for each in await got(client, "/v2/storage/components")} >= {SHOP[0], DAILY[0]}


@pytest.mark.parametrize(
    "path",
    [
        "/v2/storage/buckets/in.c-none",
        "/v2/storage/tables/in.c-crm.none",
        "/v2/storage/components/none",
        f"/v2/storage/components/{CRM[0]}/configs/1",
        f"/v2/storage/components/{SHOP[0]}/configs/{SHOP[1]}/rows/none",
        "/v2/storage/branch/7/buckets/in.c-crm",
        "/v2/storage/branch/x/metadata",
        "/queue/jobs/1",
        "/queue/jobs/none",
    ],
)
async def test_what_is_not_there_is_said_in_the_stacks_own_shape(
    stack: tuple[httpx.AsyncClient, Project], path: str
) -> None:
    answer = await stack[0].get(path)
    assert answer.status_code == 404
    assert isinstance(answer.json()["error"], str)


@pytest.mark.parametrize("path", ["/v2/storage/buckets/in.c-crm", "/queue/jobs/30001", "/queue/search/jobs"])
async def test_nothing_is_told_without_the_token(stack: tuple[httpx.AsyncClient, Project], path: str) -> None:
    answer = await stack[0].get(path, headers={"x-storageapi-token": "another"})
    assert (answer.status_code, answer.json()["code"]) == (401, "storage.tokenInvalid")


async def test_nothing_can_be_changed(stack: tuple[httpx.AsyncClient, Project]) -> None:
    client, project = stack
    before = list(project._connection.iterdump())  # pyright: ignore[reportPrivateUsage]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in (
            "/v2/storage/buckets/in.c-crm",
            "/queue/jobs/30001",
            "/v2/storage/branch/default/metadata",
        ):
            assert (await client.request(method, path, json={})).status_code in (404, 405)
    assert list(project._connection.iterdump()) == before  # pyright: ignore[reportPrivateUsage]


async def test_a_branch_has_its_own_values(stack: tuple[httpx.AsyncClient, Project]) -> None:
    client, project = stack
    branch = on_branch(project, FIX_CRM)
    TOOLS["update_descriptions"].run(
        branch, {"updates": [{"item_id": "in.c-crm", "description": "On the branch"}]}
    )
    configs.update(branch, CRM, "try", name="Tried")
    bucket = await got(client, f"/v2/storage/branch/{FIX_CRM}/buckets/in.c-crm")
    assert said(bucket["metadata"]) == "On the branch"
    assert said((await got(client, "/v2/storage/buckets/in.c-crm"))["metadata"]) != "On the branch"
    path = f"components/{CRM[0]}/configs/{CRM[1]}"
    assert (await got(client, f"/v2/storage/branch/{FIX_CRM}/{path}"))["name"] == "Tried"
    assert (await got(client, f"/v2/storage/branch/default/{path}"))["name"] == "CRM extract"


async def test_earlier_versions_of_a_configuration_are_kept(
    stack: tuple[httpx.AsyncClient, Project],
) -> None:
    client, project = stack
    path = f"/v2/storage/components/{CRM[0]}/configs/{CRM[1]}"
    before = await got(client, path)
    configs.update(project, CRM, "one", name="Second", operations=[{"op": "set", "path": "a", "value": 1}])
    configs.update(project, CRM, "two", name="Third")
    first, second = [await got(client, f"{path}/versions/{number}") for number in (1, 2)]
    assert first == before
    assert (second["name"], second["configuration"]["parameters"]["a"]) == ("Second", 1)
    assert await got(client, f"{path}/versions/3") == await got(client, path)
    for number in ("0", "4", "x", "99999999999999999999"):
        assert (await client.get(f"{path}/versions/{number}")).status_code == 404
    for number in range(configs.KEPT_VERSIONS + 3):
        configs.update(project, CRM, "more", name=f"Name {number}")
    assert (await client.get(f"{path}/versions/2")).status_code == 404
    assert (await client.get(f"{path}/versions/50")).status_code == 200


async def test_jobs_are_found_by_their_number_whatever_branch_they_ran_on(
    stack: tuple[httpx.AsyncClient, Project],
) -> None:
    client, project = stack
    on_main = jobs.start(project, SUPPORT)
    there = jobs.start(on_branch(project, FIX_CRM), CRM)
    for started, branch, status in ((on_main, MAIN_ID, "error"), (there, FIX_CRM, "success")):
        job = await got(client, f"/queue/jobs/{started['id']}")
        assert (job["id"], job["branchId"], job["status"], job["isFinished"]) == (
            started["id"], str(branch), status, True,
        )  # fmt: skip
        assert job["result"]["message"]
    assert there["id"] != on_main["id"]


async def test_the_last_jobs_of_a_configuration(stack: tuple[httpx.AsyncClient, Project]) -> None:
    client, project = stack
    jobs.start(on_branch(project, FIX_CRM), CRM)
    asked = {
        "componentId": CRM[0],
        "configId": CRM[1],
        "limit": 3,
        "sortBy": "createdTime",
        "sortOrder": "desc",
    }
    found = await got(client, "/queue/search/jobs", **asked)
    assert len(found) == 3
    assert all((job["component"], job["config"]) == CRM for job in found)
    assert [job["createdTime"] for job in found] == sorted(
        (job["createdTime"] for job in found), reverse=True
    )
    newest = (await got(client, "/queue/search/jobs", **asked, branchId=FIX_CRM))[0]
    assert (newest["branchId"], newest["id"] in {job["id"] for job in found}) == (str(FIX_CRM), False)


async def preview(client: httpx.AsyncClient, tool: str, params: Any) -> httpx.Response:
    return await client.post(
        "/preview/configuration",
        json={"toolName": tool, "toolParams": params},
        headers={"x-storageapi-url": BASE},
    )


async def test_a_preview_shows_both_and_changes_nothing(stack: tuple[httpx.AsyncClient, Project]) -> None:
    client, project = stack
    asked = {
        "change_description": "Other account",
        "component_id": CRM[0],
        "configuration_id": CRM[1],
        "description": "Other words",
        "parameter_updates": [{"op": "set", "path": "account", "value": "other"}],
    }
    answer = (await preview(client, "update_config", asked)).json()
    assert answer["coordinates"] == {"componentId": CRM[0], "configurationId": CRM[1]}
    assert answer["isValid"] is True
    original, updated = answer["originalConfig"], answer["updatedConfig"]
    assert original["configuration"]["parameters"]["account"] == "alder-finch"
    assert updated["configuration"]["parameters"]["account"] == "other"
    assert (updated["name"], updated["description"]) == ("CRM extract", "Other words")
    kept = configs.config(project, CRM)
    assert kept is not None
    assert (kept["version"], kept["parameters"]["account"]) == (1, "alder-finch")


@pytest.mark.parametrize(
    "params",
    [
        {"component_id": CRM[0], "configuration_id": CRM[1]},
        {"change_description": "x", "component_id": CRM[0], "configuration_id": "1"},
        {"change_description": "x", "component_id": CRM[0], "configuration_id": CRM[1],
         "parameter_updates": [{"op": "remove", "path": "nowhere.at.all"}]},
        "no object",
    ],
)  # fmt: skip
async def test_a_preview_says_what_cannot_work(stack: tuple[httpx.AsyncClient, Project], params: Any) -> None:
    answer = (await preview(stack[0], "update_config", params)).json()
    assert answer["isValid"] is False
    assert answer["validationErrors"][0]
    assert "updatedConfig" not in answer


async def test_other_tools_have_no_preview(stack: tuple[httpx.AsyncClient, Project]) -> None:
    answer = await preview(stack[0], "run_job", {})
    assert (answer.status_code, answer.json()["message"]) == (403, "run_job cannot be previewed.")

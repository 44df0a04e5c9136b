"""The project behind a Kai: what is looked up where, and where the token goes (P13, N8)."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.backends.base import (
    BackendError,
    CannotConnect,
    NotAllowed,
    NotFound,
    ServerFailed,
    TokenRefused,
    UnexpectedAnswer,
    Unsupported,
)
from kai_tui.backends.http import Timeouts
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.kai.project import KaiProject
from kai_tui.backends.project import Job
from kai_tui.backends.secret import Secret
from kai_tui.conversation.reviews.review import ObjectKind, ObjectRef, Wanted
from tests.backends.kai_server import KaiServer, answer
from tests.some import examples

CANARY = "canary-1234-AbCdEf"
AT_ONCE = Timeouts(pauses=(0.0,))
BRANCH = "/v2/storage/branch/default"
CONFIG = {
    "id": "17",
    "name": "CRM",
    "description": "Every morning",
    "version": 4,
    "isDisabled": False,
    "changeDescription": "Longer",
    "configuration": {"parameters": {"a": 1, "#key": "KBC::x"}, "storage": {"input": {}}, "name": "not this"},
    "rows": [{"id": "r1", "name": "orders", "configuration": {"parameters": {"t": 1}}}, "odd"],
    "state": {"secret": 1},
}


def described(text: str, key: str = "KBC.description", **more: Any) -> dict[str, Any]:
    return {"key": key, "value": text, "provider": "user", "timestamp": "2026-01-01T00:00:00+0000", **more}


@pytest.fixture
async def stack() -> AsyncIterator[KaiServer]:
    async with KaiServer() as running:
        lists(running, queue=f"{running.url}/q", **{"mcp-server": f"{running.url}/m"})
        yield running


@pytest.fixture
async def project(stack: KaiServer) -> AsyncIterator[KaiProject]:
    made = KaiProject(stack.url, Secret(CANARY), timeouts=AT_ONCE)
    yield made
    await made.aclose()


def lists(stack: KaiServer, **services: str) -> None:
    rows = [{"id": name, "url": url} for name, url in services.items()]
    stack.on("GET /v2/storage", answer(200, {"services": rows}))


async def look(project: KaiProject, what: Any, kind: ObjectKind, object_id: str) -> Any:
    return await project.present(Wanted(what, ObjectRef(kind, object_id)))


# Descriptions


async def test_descriptions_of_buckets_tables_and_columns(stack: KaiServer, project: KaiProject) -> None:
    stack.on("GET /v2/storage/buckets/in.c-crm", answer(200, {"metadata": [described("The CRM")]}))
    stack.on(
        "GET /v2/storage/tables/in.c-crm.t",
        answer(200, {"metadata": [described("Rows")], "columns": ["id", "name"],
                     "columnMetadata": {"name": [described("Full name")]}}),
    )  # fmt: skip
    assert await look(project, "description", "bucket", "in.c-crm") == "The CRM"
    assert await look(project, "description", "table", "in.c-crm.t") == "Rows"
    assert await look(project, "description", "column", "in.c-crm.t.name") == "Full name"
    assert await look(project, "description", "column", "in.c-crm.t.id") == ""
    with pytest.raises(NotFound, match=r"no column in\.c-crm\.t\.none"):
        await look(project, "description", "column", "in.c-crm.t.none")
    assert {seen.headers["x-storageapi-token"] for seen in stack.seen} == {CANARY}
    assert {seen.method for seen in stack.seen} == {"GET"}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, ""),
        ({"description": "of old"}, "of old"),
        ({"description": "of old", "metadata": [described("new")]}, "new"),
        ({"description": "of old", "metadata": [described("")]}, ""),
        (
            {"metadata": [described("user"), described("newer", provider="keboola.x", timestamp="2027")]},
            "user",
        ),
        ({"metadata": [described("older"), described("newer", timestamp="2027-01-01")]}, "newer"),
        ({"metadata": [described("x", key="KBC.lastUpdatedBy"), "odd", {"key": "KBC.description"}]}, ""),
        ({"metadata": "odd", "columnMetadata": []}, ""),
    ],
)
async def test_which_words_are_the_description(
    stack: KaiServer, project: KaiProject, body: Any, text: str
) -> None:
    stack.on("GET /v2/storage/buckets/in.c-crm", answer(200, body))
    assert await look(project, "description", "bucket", "in.c-crm") == text


async def test_the_projects_description_is_the_branchs_metadata(
    stack: KaiServer, project: KaiProject
) -> None:
    rows = [described("no", key="KBC.description"), described("A shop", key="KBC.projectDescription")]
    stack.on(f"GET {BRANCH}/metadata", answer(200, rows), answer(200, []), answer(200, {}))
    assert await look(project, "description", "project", "") == "A shop"
    assert await look(project, "description", "project", "") == ""
    with pytest.raises(UnexpectedAnswer):
        await look(project, "description", "project", "")


# Configurations


async def test_a_configuration_has_the_shape_that_is_promised(stack: KaiServer, project: KaiProject) -> None:
    stack.on(f"GET {BRANCH}/components/ex.crm/configs/17", answer(200, CONFIG))
    assert await look(project, "configuration", "configuration", "ex.crm/17") == {
        "component_id": "ex.crm", "configuration_id": "17", "id": "17", "name": "CRM",
        "description": "Every morning", "version": 4, "change_description": "Longer", "is_disabled": False,
        "parameters": {"a": 1, "#key": "KBC::x"}, "storage": {"input": {}},
        "rows": [{"id": "r1", "name": "orders", "parameters": {"t": 1}}],
    }  # fmt: skip
    assert await look(project, "description", "configuration", "ex.crm/17") == "Every morning"


@pytest.mark.parametrize(
    ("kind", "object_id", "asked", "found"),
    [
        (
            "configuration",
            "/17",
            ["keboola.snowflake-transformation", "keboola.google-bigquery-transformation"],
            1,
        ),
        ("configuration", "17", ["keboola.snowflake-transformation"], 0),
        ("flow", "/17", ["keboola.flow", "keboola.orchestrator"], 1),
        ("flow", "keboola.orchestrator/17", ["keboola.orchestrator"], 0),
        ("data app", "17", ["keboola.data-apps"], 0),
    ],
)
async def test_whose_configuration_it_is_when_the_call_does_not_say(
    stack: KaiServer, project: KaiProject, kind: ObjectKind, object_id: str, asked: list[str], found: int
) -> None:
    stack.on(f"GET {BRANCH}/components/{asked[found]}/configs/17", answer(200, CONFIG))
    value = await look(project, "configuration", kind, object_id)
    assert (value["component_id"], value["name"]) == (asked[found], "CRM")
    assert [seen.path for seen in stack.seen] == [f"{BRANCH}/components/{each}/configs/17" for each in asked]


async def test_an_earlier_version_of_a_configuration(stack: KaiServer, project: KaiProject) -> None:
    stack.on(f"GET {BRANCH}/components/ex.crm/configs/17/versions/3", answer(200, {**CONFIG, "version": 3}))
    found = await project.version(ObjectRef("configuration", "ex.crm/17"), 3)
    assert (found["component_id"], found["version"], found["parameters"]["a"]) == ("ex.crm", 3, 1)
    with pytest.raises(NotFound):
        await project.version(ObjectRef("configuration", "ex.crm/17"), 2)


async def test_a_row_is_asked_for_by_itself(stack: KaiServer, project: KaiProject) -> None:
    stack.on(
        f"GET {BRANCH}/components/ex.crm/configs/17/rows/r1",
        answer(200, {"id": "r1", "name": "orders", "configuration": {"parameters": {"t": 1}}}),
    )
    value = await look(project, "configuration", "configuration row", "ex.crm/17/r1")
    assert value == {"id": "r1", "name": "orders", "parameters": {"t": 1}}


async def test_the_source_of_a_data_app(stack: KaiServer, project: KaiProject) -> None:
    scripts: list[Any] = [["import a\n\nprint(1)"], "import b", [1], None]
    stack.on(
        f"GET {BRANCH}/components/keboola.data-apps/configs/9",
        *(answer(200, {"id": "9", "configuration": {"parameters": {"script": each}}}) for each in scripts),
    )
    assert await look(project, "source", "data app", "9") == "import a\n\nprint(1)"
    assert await look(project, "source", "data app", "9") == "import b"
    for _ in range(2):
        with pytest.raises(Unsupported):
            await look(project, "source", "data app", "9")


@pytest.mark.parametrize(
    ("what", "kind", "object_id"),
    [
        ("configuration", "bucket", "in.c-crm"),
        ("description", "other", "x"),
        ("preview", "configuration", "a/b"),
    ],
)
async def test_what_cannot_be_looked_up_asks_nobody(
    stack: KaiServer, project: KaiProject, what: str, kind: ObjectKind, object_id: str
) -> None:
    with pytest.raises(Unsupported):
        await look(project, what, kind, object_id)
    assert stack.seen == []


@pytest.mark.parametrize(
    "object_id", ["../../admin/1", "a/..", "./x", "a/", "a/b?c=d#e", "a/b%2f..", "\u202ea/b"]
)
async def test_ids_do_not_climb_out_of_their_place(
    stack: KaiServer, project: KaiProject, object_id: str
) -> None:
    with pytest.raises(BackendError):
        await look(project, "configuration", "configuration", object_id)
    assert all(seen.path.startswith(f"{BRANCH}/components/") for seen in stack.seen)
    assert all(seen.path.count("/") == 8 and not seen.query for seen in stack.seen)


# Branches


async def test_a_branch_is_asked_for_its_own_and_main_for_what_it_has_no_copy_of(stack: KaiServer) -> None:
    project = KaiProject(stack.url, Secret(CANARY), branch_id=23, timeouts=AT_ONCE)
    there = "/v2/storage/branch/23"
    stack.on(f"GET {there}/components/ex.crm/configs/17", answer(200, CONFIG))
    stack.on(f"GET {there}/metadata", answer(200, [described("B", key="KBC.projectDescription")]))
    stack.on(f"GET {there}/tables/in.c-crm.t", answer(200, {"metadata": [described("there")]}))
    stack.on("GET /v2/storage/tables/in.c-crm.t", answer(200, {"metadata": [described("main")]}))
    stack.on("GET /v2/storage/buckets/in.c-crm", answer(200, {"metadata": [described("main")]}))
    assert (await look(project, "configuration", "configuration", "ex.crm/17"))["name"] == "CRM"
    assert await look(project, "description", "project", "") == "B"
    assert await look(project, "description", "table", "in.c-crm.t") == "there"
    assert await look(project, "description", "bucket", "in.c-crm") == "main"
    assert f"GET {there}/buckets/in.c-crm" in [seen.call for seen in stack.seen]
    with pytest.raises(NotFound):
        await look(project, "configuration", "configuration", "ex.crm/18")
    assert stack.calls("GET /v2/storage/components/ex.crm/configs/18") == []
    stack.on("GET /q/search/jobs", answer(200, [{"id": "1", "branchId": "23"}, {"id": "2", "branchId": "1"}]))
    assert [job.id for job in await project.last_jobs("ex.crm", "17")] == ["1"]
    assert stack.calls("GET /q/search/jobs")[0].query["branchId"] == "23"
    stack.on("POST /m/preview/configuration", answer(200, {"isValid": True}))
    await project.preview("update_config", {})
    assert stack.calls("POST /m/preview/configuration")[0].headers["x-branch-id"] == "23"
    await project.aclose()


# Jobs


async def test_a_job(stack: KaiServer, project: KaiProject) -> None:
    body = {
        "id": 77, "status": "error", "isFinished": True, "component": "ex.crm", "config": "17",
        "createdTime": "2026-01-01T10:00:00+00:00", "startTime": "2026-01-01T10:00:01+00:00",
        "endTime": "2026-01-01T10:00:05+00:00", "durationSeconds": 4, "result": {"message": "No token"},
        "project": {"id": 123, "name": "P"}, "url": "https://elsewhere.example/jobs/77",
    }  # fmt: skip
    stack.on("GET /q/jobs/77", answer(200, body))
    assert await project.job("77") == Job(
        "77", "error", True, "ex.crm", "17", "2026-01-01T10:00:00+00:00", "2026-01-01T10:00:01+00:00",
        "2026-01-01T10:00:05+00:00", 4.0, "No token", f"{stack.url}/admin/projects/123/queue/77",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "job"),
    [
        ({}, Job("", "")),
        ({"id": "7", "status": "processing", "result": [], "project": "x"}, Job("7", "processing")),
        ({"id": "7", "status": "success", "endTime": None}, Job("7", "success", True)),
        ({"id": "7", "status": "waiting", "isFinished": False, "componentId": "a", "configId": "b"},
         Job("7", "waiting", False, "a", "b")),
        ({"id": "7", "status": "new word", "durationSeconds": None, "project": {"id": "1/../x"}},
         Job("7", "new word")),
        ({"id": "7", "status": "success", "result": {"message": {"odd": 1}}}, Job("7", "success", True)),
    ],
)  # fmt: skip
async def test_a_job_that_says_less(stack: KaiServer, project: KaiProject, body: Any, job: Job) -> None:
    stack.on("GET /q/jobs/7", answer(200, body))
    assert await project.job("7") == job


async def test_the_index_is_read_once_for_many_jobs(stack: KaiServer, project: KaiProject) -> None:
    stack.on("GET /q/jobs/7", answer(200, {"id": "7", "status": "success"}))
    for _ in range(3):
        await project.job("7")
    assert (len(stack.calls("GET /v2/storage")), len(stack.calls("GET /q/jobs/7"))) == (1, 3)


async def test_who_asks_for_what_is_on_its_way_gets_the_same_answer(
    stack: KaiServer, project: KaiProject
) -> None:
    columns = {"a": [described("A")], "b": [described("B")]}
    stack.on("GET /v2/storage/tables/in.c-crm.t", answer(200, {"columnMetadata": columns}))
    asked = [look(project, "description", "column", f"in.c-crm.t.{name}") for name in ("a", "b", "a")]
    leaving = asyncio.create_task(look(project, "description", "table", "in.c-crm.t"))
    asyncio.get_running_loop().call_soon(leaving.cancel)
    assert await asyncio.gather(*asked) == ["A", "B", "A"]
    assert leaving.cancelled()
    assert len(stack.seen) == 1
    await look(project, "description", "table", "in.c-crm.t")
    assert len(stack.seen) == 2  # what has arrived is not kept


async def test_only_a_few_objects_are_asked_for_at_a_time(stack: KaiServer, project: KaiProject) -> None:
    stack.delay = 0.01
    for number in range(30):
        stack.on(f"GET /v2/storage/tables/in.c-x.t{number}", answer(200, {}))
    wanted = [look(project, "description", "table", f"in.c-x.t{number}") for number in range(30)]
    assert await asyncio.gather(*wanted) == [""] * 30
    assert stack.connections <= 6


async def test_the_last_jobs_leave_out_those_of_other_branches(stack: KaiServer, project: KaiProject) -> None:
    rows = [{"id": "5", "branchId": "23"}, {"id": "4", "branchId": 1}, "odd", {"id": "3"},
            {"id": "2", "branchId": "1"}, {"id": "1", "branchId": "1"}]  # fmt: skip
    stack.on("GET /q/search/jobs", answer(200, rows))
    stack.on("GET /v2/storage/dev-branches", answer(200, [{"id": 23}, {"id": 1, "isDefault": True}]))
    assert [job.id for job in await project.last_jobs("ex.crm", "17", limit=3)] == ["4", "3", "2"]
    (seen,) = stack.calls("GET /q/search/jobs")
    assert seen.query == {
        "componentId": "ex.crm", "configId": "17", "sortBy": "createdTime", "sortOrder": "desc", "limit": "50",
    }  # fmt: skip
    await project.last_jobs("ex.crm", "17")
    assert len(stack.calls("GET /v2/storage/dev-branches")) == 1


async def test_jobs_as_a_present_value_are_plain_json(stack: KaiServer, project: KaiProject) -> None:
    stack.on("GET /q/search/jobs", answer(200, [{"id": "1", "status": "success", "durationSeconds": 3}]))
    value = await look(project, "jobs", "configuration", "ex.crm/17")
    assert json.loads(json.dumps(value)) == [
        {"id": "1", "status": "success", "finished": True, "created": "", "started": "", "ended": "",
         "seconds": 3.0, "message": "", "url": ""}
    ]  # fmt: skip
    stack.on("GET /q/search/jobs", answer(200, {"jobs": []}))
    with pytest.raises(UnexpectedAnswer):
        await look(project, "jobs", "configuration", "ex.crm/17")


# The preview


async def test_a_preview_is_computed_by_the_stacks_own_server(stack: KaiServer, project: KaiProject) -> None:
    said = {"isValid": True, "originalConfig": {"name": "a"}, "updatedConfig": {"name": "b"}}
    stack.on("POST /m/preview/configuration", answer(200, said))
    given = {"component_id": "ex.crm", "configuration_id": "17", "name": "b"}
    assert await project.preview("update_config", given) == said
    (seen,) = stack.calls("POST /m/preview/configuration")
    assert seen.body == {"toolName": "update_config", "toolParams": given}
    assert seen.headers["x-storageapi-token"] == CANARY
    assert seen.headers["x-storageapi-url"] == stack.url
    assert "x-branch-id" not in seen.headers


@pytest.mark.parametrize("address", ["/mcp", "/mcp/", "", "/sse"])
async def test_the_preview_is_beside_what_models_use(
    stack: KaiServer, project: KaiProject, address: str
) -> None:
    lists(stack, mcp=f"{stack.url}{address}")
    stack.on("POST /preview/configuration", answer(200, {"isValid": False}))
    assert await project.preview("update_flow", {}) == {"isValid": False}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, {"message": "Not for your role"}, NotAllowed),
        (404, {"message": "no"}, Unsupported),
        (405, b"", Unsupported),
        (500, b"Internal Server Error", ServerFailed),
        (200, [1], UnexpectedAnswer),
        (200, b"<html>", UnexpectedAnswer),
        (401, {}, TokenRefused),
    ],
)
async def test_no_preview(
    stack: KaiServer, project: KaiProject, status: int, body: Any, error: type[BackendError]
) -> None:
    stack.on("POST /m/preview/configuration", answer(status, body))
    with pytest.raises(error):
        await project.preview("update_config", {})
    assert len(stack.calls("POST /m/preview/configuration")) == 1


async def test_tools_without_a_preview_are_not_sent_anywhere(stack: KaiServer, project: KaiProject) -> None:
    for tool in ("run_job", "create_config", "no such tool", ""):
        with pytest.raises(Unsupported):
            await project.preview(tool, {"x": 1})
    assert stack.seen == []


# Where the token goes


class Ear(KaiServer):
    """Another server: whatever it hears is a fault."""

    @property
    def heard(self) -> int:
        return self.connections


@pytest.mark.parametrize(
    "named",
    [
        "https://queue.evil.example",
        "http://queue.stack.example",
        "https://user:pw@127.0.0.1:{other}",
        "http://127.0.0.1.evil.example:{other}",
        "ftp://127.0.0.1:{other}",
        "javascript:alert(1)",
        "//127.0.0.1:{other}",
        "http://sandbox.kai-tui.invalid",
        "",
        None,
        7,
    ],
)
@pytest.mark.parametrize("service", ["queue", "mcp-server"])
async def test_an_address_outside_of_the_stack_gets_no_token(
    stack: KaiServer, project: KaiProject, service: str, named: Any
) -> None:
    async with Ear() as other:
        url = named.format(other=other.port) if isinstance(named, str) else named
        stack.on("GET /v2/storage", answer(200, {"services": [{"id": service, "url": url}]}))
        with pytest.raises(BackendError) as caught:
            await (project.job("7") if service == "queue" else project.preview("update_config", {}))
        assert caught.value.delivery == "not-sent"
        assert "pw" not in caught.value.sentence
        assert other.heard == 0
        assert [seen.call for seen in stack.seen] == ["GET /v2/storage"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(stack: KaiServer, project: KaiProject, status: int) -> None:
    async with Ear() as other:
        away = answer(status, b"", {"location": f"{other.url}/jobs/7"})
        stack.on("GET /q/jobs/7", away)
        stack.on("POST /m/preview/configuration", away)
        stack.on("GET /v2/storage/buckets/in.c-x", away)
        for call in (
            project.job("7"),
            project.preview("update_config", {}),
            look(project, "description", "bucket", "in.c-x"),
        ):
            with pytest.raises(UnexpectedAnswer, match="sends us on"):
                await call
        assert other.heard == 0


@pytest.mark.parametrize("status", [301, 307])
async def test_an_index_that_sends_us_on_gets_no_second_request(
    stack: KaiServer, project: KaiProject, status: int
) -> None:
    async with Ear() as other:
        stack.on("GET /v2/storage", answer(status, b"", {"location": f"{other.url}/v2/storage"}))
        for call in (project.job("7"), project.preview("update_config", {})):
            with pytest.raises(UnexpectedAnswer):
                await call
        assert other.heard == 0


async def test_a_stack_that_lists_no_such_service(stack: KaiServer, project: KaiProject) -> None:
    lists(stack, **{"kai-agent": stack.url})
    with pytest.raises(Unsupported, match="lists no job queue"):
        await project.job("7")
    with pytest.raises(Unsupported, match="lists no MCP server"):
        await project.preview("update_config", {})


@pytest.mark.parametrize("address", ["http://connection.stack.example", "ftp://x", "https://a b"])
def test_a_stack_the_token_must_not_go_to(address: str) -> None:
    try:
        made = KaiProject(address, Secret(CANARY))
    except CannotConnect:
        return
    assert made._stack.base_url.startswith("https://")  # pyright: ignore[reportPrivateUsage]


async def test_another_token_is_used_everywhere_from_then_on(stack: KaiServer, project: KaiProject) -> None:
    stack.on("GET /q/jobs/7", answer(200, {"id": "7"}))
    stack.on("GET /v2/storage/buckets/in.c-x", answer(200, {}))
    await project.job("7")
    project.renew(Secret("another-1234"))
    await project.job("7")
    await look(project, "description", "bucket", "in.c-x")
    assert [seen.headers["x-storageapi-token"] for seen in stack.seen] == [
        CANARY, CANARY, "another-1234", "another-1234",
    ]  # fmt: skip


# As part of a Kai


async def test_a_kai_lends_its_project_and_closes_it(stack: KaiServer) -> None:
    kai = KaiBackend(stack.url, storage_url=stack.url, token=Secret(CANARY), service="agent", branch_id=23)
    stack.on("GET /v2/storage/branch/23/components/a/configs/b", answer(200, CONFIG))
    assert kai.project is not None
    wanted = Wanted("configuration", ObjectRef("configuration", "a/b"))
    assert (await kai.project.present(wanted))["name"] == "CRM"
    kai.renew(Secret("another-1234"))
    await kai.project.present(wanted)
    assert stack.seen[-1].headers["x-storageapi-token"] == "another-1234"
    await kai.hang_up()
    await kai.project.present(wanted)
    await kai.aclose()
    with pytest.raises(CannotConnect):
        await kai.project.present(wanted)


def test_a_kai_without_a_stack_has_no_project() -> None:
    kai = KaiBackend("https://kai.example", storage_url="", token=Secret(CANARY), service="agent")
    assert kai.project is None


@pytest.fixture(scope="module")
def served() -> Any:
    """What `kai-tui sandbox serve` printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kai_tui", "sandbox", "serve", "--pace", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


async def test_all_of_it_works_over_a_served_sandbox(served: dict[str, str]) -> None:
    project = KaiProject(served["storage_api_url"], Secret(served["token"]))
    shop = await look(project, "configuration", "configuration", "keboola.ex-db-mysql/4102")
    assert (shop["name"], len(shop["rows"])) == ("Web shop database", 4)
    assert await look(project, "description", "bucket", "in.c-crm")
    newest, *_ = runs = await project.last_jobs("kds-team.ex-zendesk", "4103")
    assert (len(runs), newest.status, newest.finished) == (5, "error", True)
    assert (await project.job(newest.id)) == newest
    given = {"change_description": "x", "component_id": "keboola.ex-db-mysql", "configuration_id": "4102",
             "parameter_updates": [{"op": "set", "path": "db.host", "value": "other"}]}  # fmt: skip
    found = await project.preview("update_config", given)
    assert found["updatedConfig"]["configuration"]["parameters"]["db"]["host"] == "other"
    await project.aclose()


# Whatever it says


ODD: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["services", "id", "url", "metadata", "key", "value", "provider", "timestamp", "columns",
                             "columnMetadata", "configuration", "rows", "parameters", "script", "status", "result",
                             "message", "project", "branchId", "isDefault", "durationSeconds", "version"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@examples(40)
@given(ODD, st.sampled_from([200, 200, 200, 404, 500]))
def test_odd_answers_are_errors_of_ours_or_nothing_much(body: Any, status: int) -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/storage":
            base = "https://connection.stack.example"
            rows = [{"id": "queue", "url": base}, {"id": "mcp-server", "url": base}]
            return httpx.Response(200, json={"services": rows})
        return httpx.Response(status, json=body)

    errors: list[BackendError] = []

    async def every_question() -> None:
        project = KaiProject(
            "https://connection.stack.example",
            Secret(CANARY),
            transport=httpx.MockTransport(answers),
            timeouts=Timeouts(pauses=()),
        )
        for ask in (
            lambda: look(project, "description", "project", ""),
            lambda: look(project, "description", "bucket", "in.c-x"),
            lambda: look(project, "description", "column", "in.c-x.t.c"),
            lambda: look(project, "description", "flow", "1"),
            lambda: look(project, "configuration", "configuration", "a/1"),
            lambda: look(project, "configuration", "configuration row", "a/1/r"),
            lambda: look(project, "source", "data app", "1"),
            lambda: look(project, "jobs", "configuration", "a/1"),
            lambda: project.job("1"),
            lambda: project.preview("update_config", {}),
        ):
            try:
                json.dumps(dataclasses.asdict(found) if isinstance(found := await ask(), Job) else found)
            except BackendError as error:
                errors.append(error)
        assert all(error.sentence for error in errors)
        assert CANARY not in repr([(error, vars(error)) for error in errors])
        assert CANARY not in repr((project, vars(project)))
        await project.aclose()

    asyncio.run(every_question())


# What there is


async def test_the_objects_of_a_project_are_listed_and_odd_rows_left_out(
    stack: KaiServer, project: KaiProject
) -> None:
    stack.on(
        f"GET {BRANCH}/buckets",
        answer(200, [{"id": "in.c-crm", "displayName": "CRM", "dataSizeBytes": 9}, 5]),
    )
    stack.on(
        f"GET {BRANCH}/tables",
        answer(
            200,
            [{"id": "in.c-crm.a", "name": "a", "rowsCount": 3}, {"id": "in.c-x.\u202eb"}, {"name": "no id"}],
        ),
    )
    rows = [
        {
            "id": "keboola.flow",
            "type": "other",
            "configurations": [
                {"id": 17, "name": "Daily\x1b[2J"},
                {"id": "a b"},
                {"id": "18", "isDeleted": True},
            ],
        },
        {"id": "x.y", "type": "transformation", "configurations": [{"id": "1"}]},
        {"id": "z", "configurations": "odd"},
    ]
    stack.on(f"GET {BRANCH}/components", answer(200, rows))
    found = [tuple(each) for each in await project.objects()]
    assert found == [
        ("bucket", "in.c-crm", "CRM", None, 9),
        ("table", "in.c-crm.a", "a", 3, None),
        ("flow", "keboola.flow/17", "Daily\x1b[2J", None, None),
        ("transformation", "x.y/1", "", None, None),
    ]
    assert {seen.headers["x-storageapi-token"] for seen in stack.seen} == {CANARY}
    assert {seen.method for seen in stack.seen} == {"GET"}


async def test_one_list_that_fails_does_not_cost_the_others(stack: KaiServer, project: KaiProject) -> None:
    stack.on(f"GET {BRANCH}/buckets", answer(200, [{"id": "in.c-crm"}]))
    stack.on(f"GET {BRANCH}/tables", answer(403, {"error": "no"}))
    stack.on(f"GET {BRANCH}/components", answer(200, {"odd": 1}))
    assert [each.id for each in await project.objects()] == ["in.c-crm"]
    stack.on(f"GET {BRANCH}/buckets", answer(403, {"error": "no"}))
    with pytest.raises(BackendError):
        await project.objects()


async def test_what_a_branch_has_no_list_of_it_reads_from_main(stack: KaiServer) -> None:
    made = KaiProject(stack.url, Secret(CANARY), branch_id=7, timeouts=AT_ONCE)
    stack.on("GET /v2/storage/branch/7/tables", answer(200, [{"id": "in.c-b.t"}]))
    stack.on("GET /v2/storage/buckets", answer(200, [{"id": "in.c-main"}]))
    try:
        assert [each.id for each in await made.objects()] == ["in.c-main", "in.c-b.t"]
    finally:
        await made.aclose()

"""Tool permissions: each change once, in order, and what is shown is what the server keeps."""

from __future__ import annotations

import asyncio

import pytest

from kai_tui.backends.base import CannotConnect, ConnectionLost, ServerFailed, ToolInfo
from kai_tui.services.tool_permissions import ToolPermissions, ToolRow
from tests.services.scripted_backend import ScriptedBackend, until

TOOLS = [ToolInfo("get_tables", "Reads.", read_only=True), ToolInfo("create_bucket"), ToolInfo("run_job")]


class Told:
    def __init__(self, backend: ScriptedBackend) -> None:
        self.kept: list[dict[str, str | None]] = []

        async def provide() -> ScriptedBackend:
            return backend

        self.permissions = ToolPermissions(
            provide, lambda tools: self.kept.append({tool.name: tool.permission for tool in tools})
        )

    def row(self, name: str) -> ToolRow:
        return next(row for row in self.permissions.rows if row.info.name == name)


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend(tool_list=list(TOOLS), permissions_now={"run_job": "blocked"})


@pytest.fixture
async def told(backend: ScriptedBackend) -> Told:
    made = Told(backend)
    await made.permissions.load()
    return made


async def test_the_list_is_what_the_server_keeps(told: Told) -> None:
    assert [row.permission for row in told.permissions.rows] == [None, None, "blocked"]
    assert told.kept == [{"get_tables": None, "create_bucket": None, "run_job": "blocked"}]


async def test_a_change_is_shown_saved_and_told(told: Told, backend: ScriptedBackend) -> None:
    backend.gates["set_permissions"] = gate = asyncio.Event()
    told.permissions.set("create_bucket", "always_allow")
    row = told.row("create_bucket")
    assert (row.permission, row.saving, row.info.permission) == ("always_allow", "saving", None)
    gate.set()
    assert await told.permissions.settled() == []
    row = told.row("create_bucket")
    assert (row.permission, row.saving, row.info.permission) == ("always_allow", "saved", "always_allow")
    assert backend.permissions_set == [{"create_bucket": "always_allow"}]
    assert told.kept[-1]["create_bucket"] == "always_allow"


async def test_of_quick_changes_only_the_last_counts_and_none_is_sent_twice(
    told: Told, backend: ScriptedBackend
) -> None:
    backend.gates["set_permissions"] = gate = asyncio.Event()
    told.permissions.set("create_bucket", "blocked")
    await asyncio.sleep(0)
    told.permissions.set("create_bucket", "always_ask")
    told.permissions.set("create_bucket", "always_allow")
    told.permissions.set("create_bucket", "always_allow")
    told.permissions.set("get_tables", "always_ask")
    gate.set()
    await told.permissions.settled()
    assert backend.permissions_set == [
        {"create_bucket": "blocked"},
        {"create_bucket": "always_allow"},
        {"get_tables": "always_ask"},
    ]
    assert told.row("create_bucket").info.permission == "always_allow"


async def test_what_is_kept_already_is_not_sent(told: Told, backend: ScriptedBackend) -> None:
    told.permissions.set("run_job", "blocked")
    told.permissions.set("no_such_tool", "blocked")
    await told.permissions.settled()
    assert backend.permissions_set == []


async def test_a_change_that_fails_goes_back_and_says_why(told: Told, backend: ScriptedBackend) -> None:
    backend.permissions_error = CannotConnect("kai.test refuses connections.")
    told.permissions.set("run_job", "always_allow")
    (failed,) = await told.permissions.settled()
    assert failed.info.name == "run_job"
    assert failed.permission == "blocked"
    assert failed.trouble == "kai.test refuses connections."


async def test_a_change_nobody_knows_of_is_read_back(told: Told, backend: ScriptedBackend) -> None:
    async def arrives_but(permissions):
        backend.permissions_now = {**backend.permissions_now, **permissions}
        raise ConnectionLost("The connection was lost.")

    backend.set_permissions = arrives_but  # type: ignore[method-assign]
    told.permissions.set("run_job", "always_ask")
    assert await told.permissions.settled() == []
    assert told.row("run_job").info.permission == "always_ask"


async def test_a_server_that_keeps_something_else_is_believed(told: Told, backend: ScriptedBackend) -> None:
    async def ignores(permissions):
        return {"run_job": "blocked"}

    backend.set_permissions = ignores  # type: ignore[method-assign]
    told.permissions.set("create_bucket", "always_allow")
    (failed,) = await told.permissions.settled()
    assert failed.permission is None
    assert "keeps something else" in failed.trouble


async def test_reset_all(told: Told, backend: ScriptedBackend) -> None:
    await told.permissions.reset_all()
    assert backend.permissions_set == [None]
    assert [row.permission for row in told.permissions.rows] == [None, None, None]
    backend.permissions_error = ServerFailed("No.")
    backend.permissions_now = {"run_job": "always_ask"}
    with pytest.raises(ServerFailed):
        await told.permissions.reset_all()
    assert told.row("run_job").permission == "always_ask", "what the server keeps was read back"


async def test_a_list_that_cannot_be_read_keeps_the_old_rows(told: Told, backend: ScriptedBackend) -> None:
    async def fails():
        raise ServerFailed("Server error.")

    backend.permissions = fails  # type: ignore[method-assign]
    await told.permissions.load()
    assert told.permissions.problem == "Server error."
    assert len(told.permissions.rows) == 3


async def test_reading_waits_for_what_is_being_saved(told: Told, backend: ScriptedBackend) -> None:
    backend.gates["set_permissions"] = gate = asyncio.Event()
    told.permissions.set("create_bucket", "blocked")
    reading = asyncio.create_task(told.permissions.load())
    await until(lambda: told.permissions.loading)
    gate.set()
    await reading
    assert told.row("create_bucket").info.permission == "blocked"

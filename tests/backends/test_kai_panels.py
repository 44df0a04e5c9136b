"""What the panels put on the wire: bodies, and what is made of odd answers (kai.md §4.1, §4.2, §4.11-§4.13)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from kai_tui.backends.base import NotAllowed, Quota, ServerFailed, UnexpectedAnswer, Unsupported
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.secret import Secret
from tests.backends.kai_server import KaiServer, answer

TOOLS = {
    "tools": [
        {"name": "get_tables", "description": "Lists.", "readOnly": True},
        {"name": "create_bucket", "readOnly": False},
        {"nameless": True},
    ]
}


@pytest.fixture
async def server() -> AsyncIterator[KaiServer]:
    async with KaiServer() as made:
        made.on("GET /api/settings/tools", answer(200, TOOLS))
        made.on(
            "GET /api/settings/user",
            answer(200, {"customInstructions": None, "toolPermissions": {"create_bucket": "blocked"}}),
        )
        yield made


@pytest.fixture
async def backend(server: KaiServer) -> AsyncIterator[KaiBackend]:
    made = KaiBackend(
        server.url, storage_url="https://connection.test", token=Secret("t" * 20), service="agent"
    )
    yield made
    await made.aclose()


def bodies(server: KaiServer, call: str) -> list[object]:
    return [seen.body for seen in server.calls(call)]


async def test_instructions_are_sent_as_text_and_cleared_with_null(
    server: KaiServer, backend: KaiBackend
) -> None:
    server.on("PATCH /api/settings", answer(200, {"customInstructions": "Kept."}))
    server.on("PATCH /api/settings/user", answer(200, {"customInstructions": None}))
    assert await backend.set_instructions("project", "Mine.") == "Kept."
    assert await backend.set_instructions("user", "") == ""
    assert bodies(server, "PATCH /api/settings") == [{"customInstructions": "Mine."}]
    assert bodies(server, "PATCH /api/settings/user") == [{"customInstructions": None}]


async def test_a_refusal_of_the_projects_instructions(server: KaiServer, backend: KaiBackend) -> None:
    refusal = {"error": {"type": "forbidden", "surface": "settings", "message": "Admins only."}}
    server.on("PATCH /api/settings", answer(403, refusal))
    with pytest.raises(NotAllowed):
        await backend.set_instructions("project", "Mine.")


async def test_one_permission_is_merged_and_null_resets_all(server: KaiServer, backend: KaiBackend) -> None:
    kept = {"toolPermissions": {"create_bucket": "always_ask", "odd": 5}}
    server.on("PATCH /api/settings/user", answer(200, kept), answer(200, {"toolPermissions": None}))
    assert await backend.set_permissions({"create_bucket": "always_ask"}) == {"create_bucket": "always_ask"}
    assert await backend.set_permissions(None) == {}
    assert bodies(server, "PATCH /api/settings/user") == [
        {"toolPermissions": {"create_bucket": "always_ask"}},
        {"toolPermissions": None},
    ]


async def test_the_next_call_goes_by_the_new_permission_without_another_question(
    server: KaiServer, backend: KaiBackend
) -> None:
    server.on("PATCH /api/settings/user", answer(200, {"toolPermissions": {"create_bucket": "always_allow"}}))
    assert [tool.permission for tool in await backend.tools()] == [None, "blocked"]
    await backend.set_permissions({"create_bucket": "always_allow"})
    assert [tool.permission for tool in await backend.tools()] == [None, "always_allow"]
    assert len(server.calls("GET /api/settings/tools")) == 1


async def test_after_a_change_nobody_knows_of_the_tools_are_read_anew(
    server: KaiServer, backend: KaiBackend
) -> None:
    server.on("PATCH /api/settings/user", answer(500, b"Internal Server Error"))
    await backend.tools()
    with pytest.raises(ServerFailed):
        await backend.set_permissions({"create_bucket": "always_allow"})
    await backend.tools()
    assert len(server.calls("GET /api/settings/tools")) == 2


async def test_an_answer_that_says_nothing_of_permissions_is_no_answer_about_them(
    server: KaiServer, backend: KaiBackend
) -> None:
    server.on("PATCH /api/settings/user", answer(200, {}))
    assert await backend.set_permissions({"create_bucket": "always_allow"}) == {"create_bucket": "blocked"}


async def test_the_panel_hears_of_a_list_that_cannot_be_read(server: KaiServer, backend: KaiBackend) -> None:
    server.on("GET /api/settings/user", answer(500, b"no"))
    assert [tool.permission for tool in await backend.tools()] == [None, None], "a chat works without it"
    with pytest.raises(ServerFailed):
        await backend.permissions()


@pytest.mark.parametrize(
    ("body", "quota"),
    [
        (
            {"messagesUsed": 42, "messagesLimit": 150, "resetDate": "2026-12-01T00:00:00.000Z"},
            Quota(42, 150, "2026-12-01T00:00:00.000Z"),
        ),
        ({"messagesUsed": 42, "messagesLimit": 150, "resetDate": None, "more": 1}, Quota(42, 150)),
        ({"messagesUsed": "42", "messagesLimit": 150}, None),
        ({}, None),
    ],
)
async def test_usage(server: KaiServer, backend: KaiBackend, body: object, quota: Quota | None) -> None:
    server.on("GET /api/usage", answer(200, body))
    if quota is None:
        with pytest.raises(UnexpectedAnswer):
            await backend.quota()
    else:
        assert await backend.quota() == quota


async def test_a_sign_of_life_needs_no_token(server: KaiServer, backend: KaiBackend) -> None:
    server.on("GET /ping", answer(200, {"timestamp": "2026-11-21T12:00:00Z"}))
    server.on(
        "GET /api", answer(200, {"appName": "kai", "uptime": 5, "connectedMcp": {"url": "u"}, "x": [1]})
    )
    assert await backend.alive() == "2026-11-21T12:00:00Z"
    about = await backend.about()
    assert about.address == server.url
    assert about.details == {"appName": "kai", "uptime": 5.0, "connectedMcp": {"url": "u"}, "x": [1]}
    for call in ("GET /ping", "GET /api"):
        assert "x-storageapi-token" not in server.calls(call)[0].headers


async def test_a_kai_assistant_is_asked_for_none_of_it(server: KaiServer) -> None:
    backend = KaiBackend(
        server.url, storage_url="https://connection.test", token=Secret("t" * 20), service="assistant"
    )
    for asked in (
        backend.quota(),
        backend.instructions("user"),
        backend.set_instructions("user", "x"),
        backend.permissions(),
        backend.set_permissions(None),
        backend.suggestions(),
    ):
        with pytest.raises(Unsupported):
            await asked
    assert server.seen == []
    await backend.aclose()

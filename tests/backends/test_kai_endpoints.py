"""Every endpoint but the stream: exactly the requests of kai.md §4, over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

import httpx
import pytest

from kai_tui.backends.base import (
    Backend,
    BackendError,
    CannotConnect,
    ChatSummary,
    NotAllowed,
    NotFound,
    RateLimited,
    Refused,
    TokenRefused,
    ToolAnswer,
    UnexpectedAnswer,
    Unsupported,
)
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.secret import Secret
from tests.backends.kai_server import TIMEOUT, Exchange, Handler, KaiServer, answer, recording, replay

CANARY = "canary-1234-AbCdEf"
STACK = "https://connection.keboola.com"
CHAT = "6919e0d7-9740-4f10-a481-af116888937e"
MESSAGE = "daa2e438-9449-437a-ac35-02c1ab5b0889"

Flavour = Literal["agent", "assistant"]
Make = Callable[..., KaiBackend]


@pytest.fixture
async def server() -> AsyncIterator[KaiServer]:
    async with KaiServer() as running:
        yield running


@pytest.fixture
async def make(server: KaiServer) -> AsyncIterator[Make]:
    made: list[KaiBackend] = []

    def maker(service: Flavour | None = "agent", **options: Any) -> KaiBackend:
        made.append(
            KaiBackend(server.url, storage_url=f"{STACK}/", token=Secret(CANARY), service=service, **options)
        )
        return made[-1]

    yield maker
    for backend in made:
        await backend.aclose()


async def failing(awaitable: Any) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await asyncio.wait_for(awaitable, TIMEOUT)
    return caught.value


def test_it_is_a_backend(make: Make):
    backend: Backend = make()
    assert backend.caps.approval == "side-request"
    assert backend.caps.edits_input
    assert make("assistant").caps.approval == "continuation"
    assert not make("assistant").caps.usage


@pytest.mark.parametrize("url", ["http://kai.example", "ftp://x", "https://", "https://u:p@kai.example"])
def test_unsafe_addresses_are_refused_at_once(url: str):
    with pytest.raises(CannotConnect):
        KaiBackend(url, storage_url=STACK, token=Secret(CANARY), service="agent")
    with pytest.raises(CannotConnect):
        KaiBackend(
            "https://kai.example", storage_url="http://u:p@x.example", token=Secret(CANARY), service="agent"
        )


def test_the_token_shows_nowhere(make: Make):
    backend = make()
    assert CANARY not in repr(backend) + repr(vars(backend)) + repr(vars(backend._door))  # pyright: ignore


# One call each: (recording, what to do, request as kai.md says)

CALLS: list[tuple[str, str, Callable[[KaiBackend], Any], str, dict[str, str], Any]] = [
    ("agent", "ping", lambda kai: kai.ping(), "GET /ping", {}, None),
    ("agent", "info", lambda kai: kai.info(), "GET /api", {}, None),
    ("assistant", "ping", lambda kai: kai.ping(), "GET /ping", {}, None),
    ("assistant", "info", lambda kai: kai.info(), "GET /api", {}, None),
    ("agent", "history-page1", lambda kai: kai.chats(limit=2), "GET /api/history", {"limit": "2"}, None),
    ("agent", "chat", lambda kai: kai.chat(CHAT), f"GET /api/chat/{CHAT}", {}, None),
    ("assistant", "chat", lambda kai: kai.chat(CHAT), f"GET /api/chat/{CHAT}", {}, None),
    ("agent", "delete", lambda kai: kai.delete(CHAT), "DELETE /api/chat", {"id": CHAT}, None),
    ("assistant", "delete", lambda kai: kai.delete(CHAT), "DELETE /api/chat", {"id": CHAT}, None),
    ("agent", "votes", lambda kai: kai.votes(CHAT), "GET /api/vote", {"chatId": CHAT}, None),
    ("assistant", "votes", lambda kai: kai.votes(CHAT), "GET /api/vote", {"chatId": CHAT}, None),
    ("agent", "vote-up", lambda kai: kai.vote(CHAT, MESSAGE, True), "PATCH /api/vote", {},
     {"chatId": CHAT, "messageId": MESSAGE, "type": "up"}),
    ("assistant", "vote-up", lambda kai: kai.vote(CHAT, MESSAGE, False), "PATCH /api/vote", {},
     {"chatId": CHAT, "messageId": MESSAGE, "type": "down"}),
    ("agent", "usage", lambda kai: kai.usage(), "GET /api/usage", {}, None),
    ("agent", "settings", lambda kai: kai.settings(), "GET /api/settings", {}, None),
    ("agent", "settings-patch", lambda kai: kai.change_settings("Be brief."), "PATCH /api/settings", {},
     {"customInstructions": "Be brief."}),
    ("agent", "settings-patch", lambda kai: kai.change_settings(None), "PATCH /api/settings", {},
     {"customInstructions": None}),
    ("agent", "settings-user", lambda kai: kai.user_settings(), "GET /api/settings/user", {}, None),
    ("agent", "settings-user-patch",
     lambda kai: kai.change_user_settings(tool_permissions={"run_job": "always_allow"}),
     "PATCH /api/settings/user", {}, {"toolPermissions": {"run_job": "always_allow"}}),
    ("agent", "settings-user-patch",
     lambda kai: kai.change_user_settings(tool_permissions=None, custom_instructions=None),
     "PATCH /api/settings/user", {}, {"toolPermissions": None, "customInstructions": None}),
    ("agent", "settings-user-patch", lambda kai: kai.change_user_settings(custom_instructions="x"),
     "PATCH /api/settings/user", {}, {"customInstructions": "x"}),
    ("agent", "settings-tools", lambda kai: kai.tool_rows(), "GET /api/settings/tools", {}, None),
    ("agent", "suggestions", lambda kai: kai.suggestions_for("dashboard", {"projectId": "1"}),
     "POST /api/suggestions", {}, {"context": "dashboard", "data": {"projectId": "1"}}),
]  # fmt: skip


@pytest.mark.parametrize(("service", "name", "call", "request_line", "query", "body"), CALLS)
async def test_each_request_is_as_the_protocol_says(
    server: KaiServer,
    make: Make,
    service: Flavour,
    name: str,
    call: Callable[[KaiBackend], Any],
    request_line: str,
    query: dict[str, str],
    body: Any,
):
    server.on(request_line, replay(f"rest-{service}-{name}"))
    await call(make(service, workspace_id="w-7"))
    (seen,) = server.seen
    assert (seen.call, seen.query, seen.body) == (request_line, query, body)
    assert seen.headers["x-workspace-id"] == "w-7"
    if name in ("ping", "info"):
        assert not {"x-storageapi-token", "x-storageapi-url"} & seen.headers.keys()
    else:
        assert seen.headers["x-storageapi-token"] == CANARY
        assert seen.headers["x-storageapi-url"] == STACK
    assert ("content-type" in seen.headers) is (body is not None)


async def test_what_the_answers_say(server: KaiServer, make: Make):
    for call, name in (
        ("GET /api", "info"),
        ("GET /api/usage", "usage"),
        ("GET /api/settings/user", "settings-user"),
        ("GET /api/vote", "votes"),
        (f"GET /api/chat/{CHAT}", "chat"),
        ("GET /api/history", "history-page1"),
        ("POST /api/suggestions", "suggestions"),
    ):
        server.on(call, replay(f"rest-agent-{name}"))
    kai = make()
    info = await kai.info()
    assert (info.app_name, info.uptime) == ("kai-agent", 4321.5)
    usage = await kai.usage()
    assert (usage.messages_used, usage.messages_limit, usage.reset_date) == (
        5,
        150,
        "2026-06-01T00:00:00.000Z",
    )
    assert (await kai.user_settings()).tool_permissions == {}
    assert await kai.votes(CHAT) == {MESSAGE: True}
    chat = await kai.chat(CHAT)
    recorded = recording("rest-agent-chat.http.json")["json"]
    assert chat.summary.title == "Describe the CRM bucket"
    assert [message.to_wire() for message in chat.messages] == recorded["messages"]
    page = await kai.chats(limit=2)
    assert page.items[0] == ChatSummary(
        id="35d88198-00a1-49dc-958a-422a76283135", title="Hello!", created_at="2026-05-04T09:00:17.000Z"
    )
    assert page.cursor == "a1c4e1a6-aa3b-4b40-bec0-0eec0207ef4b"
    suggestions = await kai.suggestions_for("dashboard")
    assert suggestions.suggestions[0].label == "Fix failing job"


@pytest.mark.parametrize(
    "body",
    [
        [{"chatId": CHAT, "messageId": "a", "isUpvoted": True}, {"messageId": "b", "isUpvoted": False}],
        {
            "votes": [
                {"id": 1, "chatId": CHAT, "messageId": "a", "type": "up"},
                {"messageId": "b", "type": "down"},
            ]
        },
        [
            {"messageId": "a", "isUpvoted": True},
            5,
            {},
            {"messageId": "c"},
            {"messageId": "b", "isUpvoted": False},
        ],
    ],
)
async def test_votes_of_either_shape(server: KaiServer, make: Make, body: Any):
    server.on("GET /api/vote", answer(200, body))
    assert await make().votes(CHAT) == {"a": True, "b": False}


@pytest.mark.parametrize("body", [b"<html>", b"", "x", {"votes": 5}, 5, None])
async def test_votes_of_no_shape(server: KaiServer, make: Make, body: Any):
    server.on("GET /api/vote", answer(200, body))
    assert type(await failing(make().votes(CHAT))) is UnexpectedAnswer


@pytest.mark.parametrize("body", [{}, {"id": 5}, [], {"chats": "x"}, b"{", b"", 7, None, {"messages": []}])
async def test_answers_of_no_shape(server: KaiServer, make: Make, body: Any):
    server.on(f"GET /api/chat/{CHAT}", answer(200, body))
    server.on("GET /api/settings/tools", answer(200, body))
    kai = make()
    assert type(await failing(kai.chat(CHAT))) is UnexpectedAnswer
    error = await failing(kai.tool_rows())
    assert type(error) is UnexpectedAnswer
    assert error.sentence.endswith(".")


async def test_odd_fields_count_as_absent(server: KaiServer, make: Make):
    rows = [
        {"id": "a", "title": None, "createdAt": 5, "visibility": [], "extra": {"x": 1}},
        {"title": "no id"},
        "x",
        {"id": "b", "title": 17},
    ]
    server.on("GET /api/history", answer(200, {"chats": rows, "hasMore": "perhaps"}))
    page = await make().chats()
    assert [(row.id, row.title) for row in page.items] == [("a", ""), ("b", "17")]
    assert page.cursor is None


@pytest.mark.parametrize(
    ("service", "name", "kind", "code"),
    [
        ("agent", "chat-missing", NotFound, "not_found:chat"),
        ("assistant", "chat-missing", NotFound, "not_found:chat"),
        ("agent", "no-token", TokenRefused, "unauthorized:chat"),
        ("assistant", "no-token", TokenRefused, "unauthorized:chat"),
        ("agent", "history-both-cursors", Refused, "bad_request:api"),
        ("assistant", "history-unknown-cursor", Refused, None),
        ("assistant", "delete-again", NotAllowed, "forbidden:chat"),
        ("agent", "vote-bad", Refused, "bad_request:api"),
    ],
)
async def test_recorded_refusals(
    server: KaiServer, make: Make, service: Flavour, name: str, kind: type[BackendError], code: str | None
):
    server.on(f"GET /api/chat/{CHAT}", replay(f"rest-{service}-{name}"))
    error = await failing(make(service).chat(CHAT))
    assert (type(error), error.code) == (kind, code)
    if name == "chat-missing":
        assert error.sentence == "This chat no longer exists on the server."


async def test_a_404_that_is_not_kais_does_not_look_like_a_missing_chat(server: KaiServer, make: Make):
    server.on(f"GET /api/chat/{CHAT}", answer(404, b"<html>nginx", {"content-type": "text/html"}))
    assert type(await failing(make().chat(CHAT))) is UnexpectedAnswer


async def test_a_login_page_is_no_yes(server: KaiServer, make: Make):
    page = answer(200, b"<html>Sign in", {"content-type": "text/html"})
    server.on("PATCH /api/vote", page)
    server.on("DELETE /api/chat", page)
    assert type(await failing(make().vote(CHAT, MESSAGE, True))) is UnexpectedAnswer
    assert type(await failing(make().delete(CHAT))) is UnexpectedAnswer


async def test_quota(server: KaiServer, make: Make):
    server.on("GET /api/usage", replay("http-agent-429"))
    error = await failing(make().usage())
    assert (type(error), error.sentence) == (RateLimited, "Monthly message limit reached.")
    assert error.detail == "KAI-oracle-00000002"


@pytest.mark.parametrize(
    "call",
    [
        lambda kai: kai.usage(),
        lambda kai: kai.settings(),
        lambda kai: kai.change_settings("x"),
        lambda kai: kai.user_settings(),
        lambda kai: kai.change_user_settings(custom_instructions="x"),
        lambda kai: kai.suggestions_for("dashboard"),
        lambda kai: kai.approve(CHAT, ToolAnswer("c", True)),
    ],
)
async def test_kai_assistant_has_fewer(server: KaiServer, make: Make, call: Callable[[KaiBackend], Any]):
    assert type(await failing(call(make("assistant")))) is Unsupported
    assert server.seen == []


async def test_an_empty_change_is_not_sent(server: KaiServer, make: Make):
    assert type(await failing(make().change_user_settings())) is Refused
    assert server.seen == []


# Connecting, and which service it is


def agent_routes(server: KaiServer) -> None:
    server.on("GET /api", replay("rest-agent-info"))
    server.on("GET /api/settings/tools", replay("rest-agent-settings-tools"))
    server.on("GET /api/settings/user", replay("rest-agent-settings-user-patch"))


async def test_connecting_to_kai_agent(server: KaiServer, make: Make):
    agent_routes(server)
    kai = make("agent")
    info = await kai.connect()
    assert (info.host, info.service) == (f"127.0.0.1:{server.port}", "kai-agent")
    assert (info.name, info.version) == ("kai-agent", "1.0.0-oracle")
    assert info.details["connectedMcp"][0]["status"] == "connected"
    tools = {tool.name: tool for tool in await kai.tools()}
    assert tools["get_tables"].read_only
    assert tools["run_job"].permission == "always_allow"
    assert tools["deploy_data_app"].permission == "blocked"
    assert tools["get_tables"].permission is None
    await kai.tools()
    assert len(server.calls("GET /api/settings/tools")) == 1
    await kai.connect()
    assert len(server.calls("GET /api/settings/tools")) == 2


async def test_a_change_of_permissions_is_read_anew(server: KaiServer, make: Make):
    agent_routes(server)
    server.on("PATCH /api/settings/user", replay("rest-agent-settings-user-patch"))
    kai = make("agent")
    await kai.tools()
    await kai.change_user_settings(tool_permissions={"run_job": "always_ask"})
    await kai.tools()
    assert len(server.calls("GET /api/settings/tools")) == 2


async def test_connecting_to_kai_assistant(server: KaiServer, make: Make):
    server.on("GET /api", replay("rest-assistant-info"))
    kai = make("assistant")
    info = await kai.connect()
    assert (info.service, info.name) == ("kai-assistant", "kai-assistant-backend")
    assert await kai.tools() == ()
    assert [seen.call for seen in server.seen] == ["GET /api"]


async def test_an_unknown_service_is_told_by_its_tools(server: KaiServer, make: Make):
    agent_routes(server)
    kai = make(None)
    assert kai.service is None
    assert (await kai.connect()).service == "kai-agent"
    assert kai.caps.approval == "side-request"


@pytest.mark.parametrize("missing", [answer(404, {"code": "not_found:api"}), answer(404, b"<html>")])
async def test_without_tools_it_is_kai_assistant(server: KaiServer, make: Make, missing: Handler):
    server.on("GET /api", replay("rest-assistant-info"))
    server.on("GET /api/settings/tools", missing)
    kai = make(None)
    assert (await kai.connect()).service == "kai-assistant"
    assert kai.caps.approval == "continuation"


async def test_a_bad_token_is_found_out_when_connecting(server: KaiServer, make: Make):
    server.on("GET /api", replay("rest-agent-info"))
    server.on("GET /api/settings/tools", replay("rest-agent-no-token"))
    for service in ("agent", None):
        assert type(await failing(make(service).connect())) is TokenRefused


async def test_a_chat_works_without_a_list_of_tools(server: KaiServer, make: Make):
    server.on("GET /api/settings/tools", answer(500, b"oops"))
    kai = make("agent")
    assert list(await kai.tools()) == []
    assert list(await kai.tools()) == []
    assert len(server.seen) == 1


async def test_permissions_that_cannot_be_read_are_left_out(server: KaiServer, make: Make):
    server.on("GET /api/settings/tools", replay("rest-agent-settings-tools"))
    server.on("GET /api/settings/user", answer(500, b"oops"))
    assert [tool.permission for tool in await make().tools()] == [None] * 13


async def test_a_server_without_info_is_pinged(server: KaiServer, make: Make):
    server.on("GET /ping", replay("rest-assistant-ping"))
    info = await make("assistant").connect()
    assert (info.service, info.name, info.details) == ("kai-assistant", "", {})
    server.on("GET /ping", answer(404, b""))
    assert type(await failing(make("assistant").connect())) is NotFound


async def test_a_gate_before_everything_gets_the_token(server: KaiServer, make: Make):
    for call in ("info", "ping"):
        path = {"info": "/api", "ping": "/ping"}[call]
        server.on(f"GET {path}", replay("rest-agent-no-token"), replay(f"rest-agent-{call}"))
    kai = make("assistant")
    await kai.connect()
    await kai.ping()
    assert ["x-storageapi-token" in seen.headers for seen in server.seen] == [False, True, False, True]


# History, whichever way the cursors point


def history(rule: str, count: int = 7, **stamps: Callable[[int], str]) -> tuple[Handler, list[str]]:
    """A server with `count` chats, newest first, whose `rule` means "older"; the other means "newer"."""
    rows = [
        {"id": f"c{n:02}", "title": f"Chat {n}", "createdAt": f"2026-05-{28 - n:02}T00:00:00.000Z"}
        for n in range(count)
    ]
    for name, stamp in stamps.items():
        for n, row in enumerate(rows):
            row[name] = stamp(n)
    ids = [str(row["id"]) for row in rows]

    async def handler(exchange: Exchange) -> None:
        query = exchange.seen.query
        limit = int(query["limit"])
        found = rows
        for name in ("ending_before", "starting_after"):
            if name in query:
                at = ids.index(query[name])
                found = rows[at + 1 :] if name == rule else rows[:at]
        await answer(200, {"chats": found[:limit], "hasMore": len(found) > limit})(exchange)

    return handler, ids


async def walk(kai: KaiBackend, limit: int) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    for _ in range(20):
        page = await kai.chats(cursor=cursor, limit=limit)
        found += [row.id for row in page.items]
        cursor = page.cursor
        if cursor is None:
            return found
    raise AssertionError("it never ends")


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 50])
@pytest.mark.parametrize("rule", ["ending_before", "starting_after"])
async def test_all_chats_come_once_under_either_rule(server: KaiServer, make: Make, rule: str, limit: int):
    handler, ids = history(rule)
    server.on("GET /api/history", handler)
    kai = make()
    assert await walk(kai, limit) == ids
    first_walk = len(server.seen)
    assert all(len(seen.query) == (1 if n == 0 else 2) for n, seen in enumerate(server.seen))
    assert await walk(kai, limit) == ids
    if limit < 7:
        wrong = 1 if rule == "starting_after" else 0
        assert len(server.seen) == 2 * first_walk - wrong  # remembered: no second guess


@pytest.mark.parametrize("rule", ["ending_before", "starting_after"])
async def test_two_walks_at_once(server: KaiServer, make: Make, rule: str):
    handler, ids = history(rule, 9)
    server.on("GET /api/history", handler)
    kai = make()
    assert await asyncio.gather(walk(kai, 2), walk(kai, 3), walk(kai, 4)) == [ids, ids, ids]


@pytest.mark.parametrize("rule", ["ending_before", "starting_after"])
async def test_sorted_by_last_change_is_no_reason_to_stop(server: KaiServer, make: Make, rule: str):
    handler, ids = history(
        rule,
        createdAt=lambda n: f"2026-04-{10 + n * 3 % 7:02}T00:00:00Z",
        updatedAt=lambda n: f"2026-05-{28 - n:02}T00:00:00Z",
    )
    server.on("GET /api/history", handler)
    assert await walk(make(), 2) == ids


async def test_a_page_of_newer_chats_is_dropped(server: KaiServer, make: Make):
    """A chat that was made after the first page was read does not end up among the old ones."""

    def page(*names: str, more: bool) -> Handler:
        rows = [{"id": n, "createdAt": f"2026-05-{n[1:]}T00:00:00Z"} for n in names]
        return answer(200, {"chats": rows, "hasMore": more})

    server.on(
        "GET /api/history",
        page("c20", more=True),
        page("c25", "c24", more=False),
        page("c19", "c18", more=False),
    )
    kai = make()
    first = await kai.chats(limit=1)
    second = await kai.chats(cursor=first.cursor, limit=2)
    assert [row.id for row in second.items] == ["c19", "c18"]
    assert [set(seen.query) for seen in server.seen[1:]] == [
        {"limit", "ending_before"},
        {"limit", "starting_after"},
    ]


async def test_a_server_that_repeats_itself_comes_to_an_end(server: KaiServer, make: Make):
    rows = [{"id": "a"}, {"id": "b"}]
    server.on("GET /api/history", answer(200, {"chats": rows, "hasMore": True}))
    assert await walk(make(), 2) == ["a", "b"]


async def test_a_cursor_from_an_earlier_run(server: KaiServer, make: Make):
    handler, ids = history("starting_after")
    server.on("GET /api/history", handler)
    page = await make().chats(cursor="c02", limit=2)
    assert [row.id for row in page.items][-1] != "c02"
    assert set(ids) >= {row.id for row in page.items}


# Over a transport of the caller's own


async def test_in_process(make: Make):
    def play(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=recording("rest-agent-usage.http.json")["json"])

    kai = KaiBackend(
        "http://sandbox.kai-tui.invalid",
        storage_url="http://sandbox.kai-tui.invalid",
        token=Secret("in-process"),
        service="agent",
        transport=httpx.MockTransport(play),
    )
    assert (await kai.usage()).messages_used == 5
    await kai.aclose()
    with pytest.raises(CannotConnect):
        KaiBackend("http://sandbox.kai-tui.invalid", storage_url="", token=Secret("x"), service="agent")

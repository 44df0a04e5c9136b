"""What the HTTP door sends: to whom, with which credential, and never the token anywhere else."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import httpx
import pytest

from kai_tui.backends.base import (
    CannotConnect,
    Refused,
    ServerFailed,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.backends.http import HttpDoor, segment
from kai_tui.backends.secret import Secret, SecretLine
from tests.backends.door import CANARY, closed_port, door_to, failing, read_stream
from tests.backends.door import server as server
from tests.backends.kai_server import (
    KaiServer,
    answer,
    stream,
)

# What is sent


async def test_headers_and_body(server: KaiServer):
    server.on("POST /x", answer(200, {"ok": True}))
    server.on("GET /y", answer(200, {"ok": True}))
    door = door_to(server.url, headers={"x-workspace-id": "77"})
    assert (await door.request("POST", "/x", body={"text": "ž\ud83d"})).json() == {"ok": True}
    await door.request("GET", "/y", params={"q": "a b&c"}, auth=False)
    posted, got = server.seen
    assert posted.body == {"text": "ž\ud83d"}
    assert posted.headers["x-storageapi-token"] == CANARY
    assert posted.headers["x-storageapi-url"] == "https://stack.example"
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["accept-encoding"] == "identity"
    assert posted.headers["user-agent"].startswith("kai-tui/")
    assert "authorization" not in posted.headers
    assert got.query == {"q": "a b&c"}
    assert not {"x-storageapi-token", "x-storageapi-url", "content-type"} & got.headers.keys()
    assert got.headers["x-workspace-id"] == "77"
    await door.aclose()


async def test_posts_get_a_fresh_connection_and_reads_share_one(server: KaiServer):
    server.on("POST /x", answer(200, {}))
    server.on("GET /y", answer(200, {}))
    door = door_to(server.url)
    for _ in range(3):
        await door.request("GET", "/y")
        await door.request("POST", "/x", body={})
    connections = {"GET": set[int](), "POST": set[int]()}
    for seen in server.seen:
        connections[seen.method].add(seen.connection)
    assert (len(connections["GET"]), len(connections["POST"])) == (1, 3)
    await door.aclose()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_never_followed(server: KaiServer, status: int):
    async with KaiServer() as other:
        for call in ("POST /chat", "GET /chat", "DELETE /chat", "PATCH /chat"):
            server.on(call, answer(status, b"", {"location": f"{other.url}/chat"}))
        door = door_to(server.url)
        for method in ("GET", "DELETE", "PATCH", "POST"):
            error = await failing(door.request(method, "/chat"))
            assert type(error) is UnexpectedAnswer
            assert f"127.0.0.1:{other.port}" in error.sentence
        for method in ("GET", "POST"):
            assert type(await failing(read_stream(door, method))) is UnexpectedAnswer
        assert other.connections == 0
        assert len(server.seen) == 6
        await door.aclose()


async def test_a_redirect_on_the_same_host_is_not_followed_either(server: KaiServer):
    server.on("GET /a", answer(308, b"", {"location": "/b"}))
    server.on("GET /b", answer(200, {}))
    door = door_to(server.url)
    assert type(await failing(door.request("GET", "/a"))) is UnexpectedAnswer
    assert server.calls("GET /b") == []
    await door.aclose()


@pytest.mark.parametrize("path", ["@evil.example/", "//evil.example/", ".evil.example/", "chat", ":81/", ""])
async def test_no_path_leads_to_another_origin(server: KaiServer, path: str):
    sent: list[httpx.Request] = []

    def record(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={})

    door = door_to("https://kai.example", transport=httpx.MockTransport(record))
    try:
        await door.request("GET", path)
    except CannotConnect:
        assert sent == []
    else:
        assert [request.url.host for request in sent] == ["kai.example"]


async def test_proxy_variables_do_not_catch_loopback(server: KaiServer, monkeypatch: pytest.MonkeyPatch):
    async with KaiServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        server.on("GET /x", answer(200, {}))
        door = door_to(server.url)
        await door.request("GET", "/x")
        assert proxy.connections == 0
        await door.aclose()


async def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", "gopher://proxy.example")
    error = await failing(door_to("https://kai.example").request("GET", "/x"))
    assert (type(error), error.code) == (CannotConnect, "proxy")


@pytest.mark.parametrize("value", ["", "with space", "line\nbreak", "ž", "tab\t", " lead"])
async def test_an_impossible_token_is_refused_before_anything_is_sent(server: KaiServer, value: str):
    door = HttpDoor(server.url, auth_headers={"x-storageapi-token": Secret(value)})
    error = await failing(door.request("POST", "/x", body={}))
    assert type(error) is TokenRefused
    assert error.delivery == "not-sent"
    assert server.connections == 0
    if value:
        assert value not in error.sentence


async def test_what_is_no_json_is_refused_before_anything_is_sent(server: KaiServer):
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    door = door_to(server.url)
    for body in ({"a": float("nan")}, {"a": object()}, {"a": deep}):
        assert type(await failing(door.request("POST", "/x", body=body))) is Refused
    assert server.connections == 0


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_ids_that_climb_are_refused(value: str):
    with pytest.raises(Refused):
        segment(value)


def test_ids_are_one_segment():
    assert segment("../a?b#c/d%") == "..%2Fa%3Fb%23c%2Fd%25"


# The token


async def test_the_token_is_in_nothing_that_can_be_printed(
    server: KaiServer, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    http_logs = [logging.getLogger(name) for name in ("httpx", "httpcore")]
    assert [log.level for log in http_logs] == [logging.WARNING, logging.WARNING]
    server.on("GET /x", answer(401, {"message": "no"}))
    server.on("POST /chat", stream(b"data: 1\n\n"))
    door = door_to(server.url)
    shown = [repr(door), repr(vars(door))]
    for awaitable in (
        door.request("GET", "/x"),
        door_to(f"http://127.0.0.1:{closed_port()}").request("POST", "/"),
    ):
        error = await failing(awaitable)
        chain: BaseException | None = error
        while chain is not None:
            request = getattr(chain, "_request", None)
            shown += [repr(chain), repr(vars(chain)), repr(request and request.headers)]
            chain = chain.__cause__ or chain.__context__
        shown += traceback.TracebackException.from_exception(error, capture_locals=False).format()
    async with door.stream("POST", "/chat", body={}) as response:
        shown += [repr(response), repr(response.request.headers), repr(response.headers)]
    assert CANARY not in "".join(shown) + caplog.text
    assert [seen.headers["x-storageapi-token"] for seen in server.seen] == [CANARY, CANARY]
    await door.aclose()


async def test_server_failed_is_told_apart(server: KaiServer):
    server.on("POST /x", answer(500, b"Internal Server Error", {"content-type": "text/plain"}))
    door = door_to(server.url)
    error = await failing(door.request("POST", "/x", body={}, unsure_note="It may have arrived."))
    assert type(error) is ServerFailed
    assert error.sentence == f"Server error at {door.host} (500): Internal Server Error. It may have arrived."
    await door.aclose()


# Credentials that are asked for anew


async def test_credentials_are_asked_for_right_before_each_request_and_are_forgotten(server: KaiServer):
    server.on("GET /x", answer(200, {}))
    server.on("POST /s", stream(b"data: 1\n\n"))
    asked: list[str] = []

    async def credentials() -> dict[str, Secret | str]:
        asked.append(f"{CANARY}-{len(asked)}")
        return {"authorization": SecretLine(f"Token {asked[-1]}"), "x-plain": "1"}

    door = HttpDoor(server.url, credentials=credentials)
    await door.request("GET", "/x")
    await door.request("GET", "/x", auth=False)
    async with door.stream("POST", "/s", body={}) as response:
        assert CANARY not in repr(response.request.headers)
        assert "authorization" not in response.request.headers
    await door.aclose()
    assert [seen.headers.get("authorization") for seen in server.seen] == [
        f"Token {CANARY}-0", None, f"Token {CANARY}-1",
    ]  # fmt: skip
    assert len(asked) == 2


async def test_without_credentials_nothing_is_sent(server: KaiServer):
    async def credentials() -> dict[str, Secret | str]:
        raise TokenRefused("The helper has none.", delivery="unsure")

    door = HttpDoor(server.url, credentials=credentials)
    error = await failing(door.request("POST", "/x", body={}))
    await door.aclose()
    assert (type(error), error.delivery, server.seen) == (TokenRefused, "not-sent", [])


@pytest.mark.parametrize("value", ["Basic a b", "x\r\ny: z", " x", "", "ä"])
async def test_a_secret_line_may_have_spaces_but_never_ends_the_line(server: KaiServer, value: str):
    server.on("GET /x", answer(200, {}))
    door = HttpDoor(server.url, auth_headers={"authorization": SecretLine(value)})
    if value == "Basic a b":
        await door.request("GET", "/x")
        assert server.seen[0].headers["authorization"] == value
    else:
        assert isinstance(await failing(door.request("GET", "/x")), TokenRefused)
        assert server.seen == []
    await door.aclose()

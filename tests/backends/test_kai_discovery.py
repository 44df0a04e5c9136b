from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from kai_tui.backends.base import BackendError, CannotConnect, NoKaiThere, TokenRefused, UnexpectedAnswer
from kai_tui.backends.http import Timeouts
from kai_tui.backends.kai.discovery import Discovered, discover, verify_token
from kai_tui.backends.secret import Secret
from tests.backends.kai_server import KaiServer, answer, recording

CANARY = "canary-1234-AbCdEf"
TOKEN = Secret(CANARY)
STACK = "https://connection.keboola.com"
VERIFIED = {
    "id": "1",
    "description": "me@example.com",
    "isMasterToken": True,
    "owner": {"id": 1234, "name": "My project", "features": []},
}


@pytest.fixture
async def stack() -> AsyncIterator[KaiServer]:
    async with KaiServer() as running:
        yield running


async def test_the_token_is_verified(stack: KaiServer):
    stack.on("GET /v2/storage/tokens/verify", answer(200, VERIFIED))
    found = await verify_token(f"{stack.url}/v2/storage", TOKEN)
    assert (found.description, found.is_master) == ("me@example.com", True)
    assert (found.project_id, found.project_name) == ("1234", "My project")
    (seen,) = stack.seen
    assert seen.headers["x-storageapi-token"] == CANARY
    assert "x-storageapi-url" not in seen.headers


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_refused_token(stack: KaiServer, status: int):
    body = {"error": "Invalid access token", "code": "storage.tokenInvalid", "exceptionId": "exc-1"}
    stack.on("GET /v2/storage/tokens/verify", answer(status, body))
    with pytest.raises(TokenRefused) as caught:
        await verify_token(stack.url, TOKEN)
    assert (caught.value.code, caught.value.status) == ("storage.tokenInvalid", status)
    assert caught.value.detail == "exc-1"
    assert "does not accept this token" in caught.value.sentence
    assert CANARY not in repr(caught.value) + caught.value.sentence


@pytest.mark.parametrize("body", [[], "x", {"owner": []}, b"<html>", b"{"])
async def test_an_odd_verification(stack: KaiServer, body: Any):
    stack.on("GET /v2/storage/tokens/verify", answer(200, body))
    with pytest.raises(UnexpectedAnswer) as caught:
        await verify_token(stack.url, TOKEN)
    assert caught.value.sentence.endswith(".")


async def test_a_verification_that_says_little(stack: KaiServer):
    stack.on("GET /v2/storage/tokens/verify", answer(200, {"description": 5, "isMasterToken": "yes"}))
    found = await verify_token(stack.url, TOKEN)
    assert (found.description, found.is_master, found.project_id) == ("5", False, "")


async def test_the_recorded_index(stack: KaiServer):
    index = json.dumps(recording("rest-assistant-discovery.http.json")["json"]).replace(
        "PORT", str(stack.port)
    )
    stack.on("GET /v2/storage", answer(200, index.encode()))
    found = await discover(stack.url, TOKEN)
    assert found.services["queue"] == "https://queue.stack.example"
    assert found.choose() == ("assistant", stack.url)
    assert found.choose("assistant") == ("assistant", stack.url)
    with pytest.raises(NoKaiThere, match="kai-agent") as caught:
        found.choose("agent")
    assert "Choose the other" in caught.value.sentence
    (seen,) = stack.seen
    assert seen.headers["x-storageapi-token"] == CANARY
    assert seen.query == {"exclude": "components"}


async def test_a_bad_status_is_told(stack: KaiServer):
    stack.on("GET /v2/storage", answer(500, b"oops", {"content-type": "text/plain"}))
    with pytest.raises(BackendError) as caught:
        await discover(stack.url, TOKEN)
    assert (caught.value.code, caught.value.status) == ("discovery:http_error", 500)
    stack.on("GET /v2/storage", answer(401, {"error": "Invalid", "code": "storage.tokenInvalid"}))
    with pytest.raises(TokenRefused) as refused:
        await discover(stack.url, TOKEN)
    assert (refused.value.code, refused.value.detail) == (
        "discovery:http_error",
        "storage.tokenInvalid · Invalid",
    )


async def test_rows_nobody_can_read_are_left_out(stack: KaiServer):
    services = [
        7,
        {"url": "x"},
        {"id": "kai-agent", "url": f"{stack.url}/"},
        {"id": "kai-agent", "url": "https://b.example"},
        {"id": "queue"},
    ]
    stack.on("GET /v2/storage", answer(200, {"services": services}))
    found = await discover(stack.url, TOKEN)
    assert found.services == {"kai-agent": stack.url, "queue": ""}
    assert found.choose() == ("agent", stack.url)


async def test_an_unreachable_stack():
    with pytest.raises(CannotConnect, match="Cannot find connection"):
        await discover("connection.nothing.invalid", TOKEN, timeouts=Timeouts(pauses=(0.0, 0.0)))


async def test_it_works_over_a_transport_of_the_callers_own():
    def play(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/storage/tokens/verify":
            return httpx.Response(200, json=VERIFIED)
        service = {"id": "kai-agent", "url": "http://sandbox.kai-tui.invalid"}
        return httpx.Response(200, json={"services": [service]})

    transport = httpx.MockTransport(play)
    assert (
        await verify_token("http://sandbox.kai-tui.invalid", TOKEN, transport)
    ).project_name == "My project"
    found = await discover("http://sandbox.kai-tui.invalid", TOKEN, transport)
    assert found.choose() == ("agent", "http://sandbox.kai-tui.invalid")


BOTH = {"kai-agent": "https://kai-agent.keboola.com", "kai-assistant": "https://kai-assistant.keboola.com"}


def test_kai_agent_is_preferred_and_either_can_be_forced():
    found = Discovered(STACK, BOTH)
    assert found.choose() == ("agent", BOTH["kai-agent"])
    assert found.choose("assistant") == ("assistant", BOTH["kai-assistant"])


def test_no_kai_names_what_is_there_and_what_to_do():
    with pytest.raises(NoKaiThere) as caught:
        Discovered(STACK, {"import": "https://import.keboola.com", "queue": ""}).choose()
    assert caught.value.code == "discovery:service_not_found"
    assert "it lists import, queue" in caught.value.sentence
    assert "copy it from the browser" in caught.value.sentence
    with pytest.raises(NoKaiThere):
        Discovered(STACK, {}).choose("agent")


def test_an_entry_without_address():
    with pytest.raises(NoKaiThere) as caught:
        Discovered(STACK, {"kai-agent": ""}).choose()
    assert caught.value.code == "discovery:no_url"


@pytest.mark.parametrize(
    "address",
    ["http://kai-agent.keboola.com", "https://kai-agent.keboola.com.evil.example", "https://evil.example",
     "http://127.0.0.1:3000", "https://localhost", "javascript:1", "https://user:pw@kai-agent.keboola.com",
     "http://sandbox.kai-tui.invalid", "kai-agent.keboola.com"],
)  # fmt: skip
def test_an_address_outside_the_stack_gets_no_token(address: str):
    with pytest.raises(BackendError) as caught:
        Discovered(STACK, {"kai-agent": address}).choose()
    assert caught.value.code == "discovery:foreign_url"
    assert caught.value.delivery == "not-sent"
    assert "your token was not sent there" in caught.value.sentence
    assert "pw@" not in caught.value.sentence

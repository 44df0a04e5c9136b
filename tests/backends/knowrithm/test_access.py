"""Key and secret, signing in, tokens that run out, the check of §2, tasks and their pace (§4), addresses (§1)."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kai_tui.backends.base import (
    CannotConnect,
    ConnectionLost,
    NotAllowed,
    Refused,
    ServerFailed,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.backends.http_answer import Answer
from kai_tui.backends.knowrithm.access import ApiKey, KnowrithmAccess, Login, login_of, sign_in
from kai_tui.backends.knowrithm.address import check_address, knowrithm_address, own_path
from kai_tui.backends.knowrithm.tasks import Pace, ack_of, failure_of, hint_of, result_of, state_of
from kai_tui.backends.secret import Secret
from kai_tui.conversation import events as e
from tests.backends.kai_server import answer
from tests.backends.knowrithm.desk import AT_ONCE, QUICK, asked, calls, folded, key, knowrithm, login
from tests.backends.knowrithm.desk import server as server  # the fixture
from tests.fakes.knowrithm import EMAIL, KEY, PASSWORD, SECRET, FakeKnowrithm

BASE = "https://app.knowrithm.org/api"


class Keyring:
    def __init__(self) -> None:
        self.kept: list[Login] = []

    async def keep(self, login: Login) -> None:
        self.kept.append(login)


# Credentials


async def test_a_key_goes_in_its_two_headers_and_nowhere_else(server: FakeKnowrithm):
    backend = knowrithm(server)
    info = await backend.connect()
    assert calls(server) == ["GET /auth/validate", "GET /api/health"]
    headers = server.seen[0].headers
    assert (headers["x-api-key"], headers["x-api-secret"]) == (KEY, SECRET)
    assert "authorization" not in headers
    assert "x-api-key" not in server.seen[1].headers
    assert (info.service, info.name, info.version) == ("knowrithm", "Knowrithm", "2.1.0")
    assert info.details["company"] == {"name": "Acme"}
    assert info.details["api_key_info"]["scopes"] == ["read", "write"]
    assert await backend.alive() == "2026-11-03T10:00:00Z"
    await backend.aclose()


async def test_a_wrong_key_is_told_at_once(server: FakeKnowrithm):
    backend = knowrithm(server, ApiKey(Secret("x"), Secret("y")))
    refused: list[TokenRefused] = []
    backend.on_refused = refused.append
    with pytest.raises(TokenRefused):
        await backend.connect()
    assert calls(server) == ["GET /auth/validate"]
    assert len(refused) == 1
    backend.use(key())
    assert (await backend.connect()).version == "2.1.0"
    await backend.aclose()


async def test_a_key_that_is_not_valid_any_more(server: FakeKnowrithm):
    server.on("GET /api/v1/auth/validate", answer(200, {"valid": False}))
    backend = knowrithm(server)
    with pytest.raises(TokenRefused, match="not valid"):
        await backend.connect()
    await backend.aclose()


@pytest.mark.parametrize("status", [400, 403, 404, 405])
async def test_where_keys_cannot_be_validated_the_user_is_asked_for(server: FakeKnowrithm, status: int):
    server.validate_status = status
    backend = knowrithm(server)
    assert (await backend.who())["user"] == {"email": EMAIL, "first_name": "Ada"}
    await backend.aclose()


async def test_a_locked_account(server: FakeKnowrithm):
    server.locked = True
    backend = knowrithm(server)
    with pytest.raises(NotAllowed, match="This account is locked") as caught:
        await backend.connect()
    assert caught.value.code == "locked"
    with pytest.raises(NotAllowed, match="This account is locked"):
        await sign_in(server.base, EMAIL, Secret(PASSWORD), pace=QUICK)
    await backend.aclose()


async def test_a_new_secret_or_token_is_used_from_then_on(server: FakeKnowrithm):
    backend = knowrithm(server, ApiKey(Secret(KEY), Secret("old")))
    with pytest.raises(TokenRefused):
        await backend.chats()
    backend.renew(Secret(SECRET))
    await backend.chats()
    with pytest.raises(Refused, match="signs in in another way"):
        backend.use(Login(Secret("x")))
    await backend.aclose()
    tokens = server.new_login()
    backend = knowrithm(server, Login(Secret("old")))
    backend.renew(Secret(tokens["access_token"]))
    await backend.chats()
    await backend.aclose()


# Signing in


@pytest.mark.parametrize("as_text", [True, False])
async def test_signing_in_is_a_task_that_ends_in_tokens(server: FakeKnowrithm, as_text: bool):
    server.results_as_text = as_text
    found = await sign_in(server.base, f" {EMAIL} ", Secret(PASSWORD), pace=QUICK, timeouts=AT_ONCE)
    assert found.access.reveal() in server.access_tokens
    assert found.refresh is not None
    assert server.seen[0].body == {"email": EMAIL, "password": PASSWORD}
    assert all(
        "x-api-key" not in seen.headers and "authorization" not in seen.headers for seen in server.seen
    )


async def test_a_wrong_password(server: FakeKnowrithm):
    with pytest.raises(TokenRefused, match="does not know this e-mail address with this password") as caught:
        await sign_in(server.base, EMAIL, Secret("wrong"), pace=QUICK)
    assert "Invalid email or password" in (caught.value.detail or "")
    server.tasks_are_open = False
    with pytest.raises(UnexpectedAnswer, match="does not tell how it ended"):
        await sign_in(server.base, EMAIL, Secret(PASSWORD), pace=QUICK)
    server.on("POST /api/v1/auth/login", answer(401, {"error": "no"}))
    with pytest.raises(TokenRefused, match="does not know this e-mail address"):
        await sign_in(server.base, EMAIL, Secret("wrong"), pace=QUICK)
    server.on("POST /api/v1/auth/login", answer(200, {"ok": True}))
    with pytest.raises(UnexpectedAnswer, match="gave no token"):
        await sign_in(server.base, EMAIL, Secret("wrong"), pace=QUICK)


@pytest.mark.parametrize(
    "body",
    [
        {"access_token": "a", "refresh_token": "r"},
        {"tokens": {"access_token": "a", "refresh_token": "r"}},
        {"data": {"access_token": "a", "refresh_token": "r"}},
        {"result": {"tokens": {"access_token": "a", "refresh_token": "r"}}},
        {"result": '{"access_token": "a", "refresh_token": "r"}'},
    ],
)
def test_tokens_wherever_they_are(body: Any):
    assert login_of(body) == Login(Secret("a"), Secret("r"))
    assert "'a'" not in repr(login_of(body))


@pytest.mark.parametrize("as_task", [True, False])
async def test_a_token_that_ran_out_is_renewed_and_kept_without_a_word(server: FakeKnowrithm, as_task: bool):
    tokens = server.new_login()
    server.refresh_as_task = as_task
    keyring = Keyring()
    backend = knowrithm(server, login(tokens), keep=keyring.keep)
    refused: list[TokenRefused] = []
    backend.on_refused = refused.append
    server.access_tokens.clear()
    await backend.chats()
    assert refused == []
    (kept,) = keyring.kept
    assert kept.access.reveal() in server.access_tokens
    assert kept.refresh is not None
    assert (kept.refresh.reveal() == tokens["refresh_token"]) is as_task  # kept when no new one came
    refresh = next(seen for seen in server.seen if seen.path.endswith("/auth/refresh"))
    assert refresh.headers["authorization"] == f"Bearer {tokens['refresh_token']}"
    assert refresh.body == {"refresh_token": tokens["refresh_token"]}
    await backend.aclose()


async def test_requests_refused_together_renew_once(server: FakeKnowrithm):
    backend = knowrithm(server, login(server.new_login()))
    server.access_tokens.clear()
    await asyncio.gather(*(backend.chats() for _ in range(5)))
    assert calls(server).count("POST /auth/refresh") == 1
    await backend.aclose()


async def test_a_message_refused_for_its_token_goes_again_and_arrives_once(server: FakeKnowrithm):
    chat = server.conversation()
    backend = knowrithm(server, login(server.new_login()))
    server.access_tokens.clear()
    assert folded(await asked(backend, "Hi", chat.id)).finish == e.Finish("stop")
    assert [message["content"] for message in chat.messages if message["role"] == "user"] == ["Hi"]
    await backend.aclose()


async def test_a_sign_in_that_ended_for_good(server: FakeKnowrithm):
    backend = knowrithm(server, login(server.new_login()))
    server.access_tokens.clear()
    server.refresh_tokens.clear()
    refused: list[TokenRefused] = []
    backend.on_refused = refused.append
    with pytest.raises(TokenRefused) as caught:
        await asked(backend, "Hi", server.conversation().id)
    assert caught.value.delivery == "not-sent"
    assert refused
    await backend.aclose()


async def test_a_server_that_is_away_does_not_end_a_sign_in(server: FakeKnowrithm):
    keyring = Keyring()
    backend = knowrithm(server, login(server.new_login()), keep=keyring.keep)
    server.access_tokens.clear()
    server.on("POST /api/v1/auth/refresh", answer(502, b"x", {"content-type": "text/plain"}))
    with pytest.raises(ServerFailed):
        await backend.chats()
    assert keyring.kept == []
    await backend.aclose()


async def test_signing_out(server: FakeKnowrithm):
    backend = knowrithm(server, login(server.new_login()))
    await backend.sign_out()
    assert calls(server) == ["POST /auth/logout"]
    await backend.aclose()
    backend = knowrithm(server)
    await backend.sign_out()
    assert len(server.seen) == 1
    await backend.aclose()


# Health


async def test_health_elsewhere_or_behind_a_gate(server: FakeKnowrithm):
    html = answer(200, b"<html>the website</html>", {"content-type": "text/html"})
    server.on("GET /api/health", html)
    backend = knowrithm(server)
    assert (await backend.about()).version == "2.1.0"
    server.on("GET /api/v1/health", answer(401, {"error": "x"}), answer(200, {"status": "healthy"}))
    assert (await backend.about()).details == {"status": "healthy"}
    server.on("GET /api/v1/health", html)
    with pytest.raises(UnexpectedAnswer, match="login page"):
        await backend.about()
    await backend.aclose()


# Tasks


@pytest.mark.parametrize("word", ["completed", "SUCCESS", "succeeded", "finished", "done"])
def test_words_for_done(word: str):
    assert state_of({"status": word}) == state_of({"state": word}) == "done"


@pytest.mark.parametrize(
    "word", ["failed", "failure", "Error", "rejected", "cancelled", "timeout", "REVOKED"]
)
def test_words_for_failed(word: str):
    assert state_of({"status": word}) == "failed"


@pytest.mark.parametrize(
    "body", [{"status": "pending"}, {"status": "brand-new"}, {}, {"status": 7}, [], None, "x"]
)
def test_anything_else_goes_on(body: Any):
    assert state_of(body) == "running"


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ({"result": {"a": 1}, "data": 2}, {"a": 1}),
        ({"result": None, "data": [1]}, [1]),
        ({"response": '{"a": 1}'}, {"a": 1}),
        ({"result": "plain"}, "plain"),
        ({"result": "{broken"}, "{broken"),
        ({"status": "done"}, {"status": "done"}),
    ],
)
def test_results(body: Any, result: Any):
    assert result_of(body) == result


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "No", "code": "E1"}}, "No (E1)"),
        ({"error": "No"}, "No"),
        ({"message": "No"}, "No"),
        ({"result": {"error": "Inner"}}, "Inner"),
        ({"error": {}}, "default"),
        (None, "default"),
        ({"error": "x" * 500}, "x" * 199 + "…"),
    ],
)
def test_failures(body: Any, said: str):
    assert failure_of(body, "default") == said


NOW = datetime(2026, 11, 3, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({}, None),
        ({"retry_after": 3}, 3.0),
        ({"retry_after": "2.5"}, 2.5),
        ({"retry_after_ms": 700}, 0.7),
        ({"meta": {"poll_in": 4}, "retry_after": 2}, 4.0),
        ({"details": {"wait_for_seconds": 1}, "info": {"next_poll_in": 2}}, 2.0),
        ({"poll_interval": 0}, 0.1),
        ({"poll_interval": 1e6}, 60.0),
        ({"eta": (NOW + timedelta(seconds=9)).isoformat()}, 9.0),
        ({"retry_at": "Tue, 03 Nov 2026 10:00:05 GMT"}, 5.0),
        ({"metadata": {"next_poll_at": (NOW - timedelta(days=1)).isoformat()}}, 0.1),
        ({"available_at": NOW.timestamp() + 6}, 6.0),
        (
            {"retry_after": "soon", "eta": "later", "poll_in": True, "retry_at": 1e300, "scheduled_for": []},
            None,
        ),
        ({"retry_after": -5}, None),
        ([1], None),
    ],
)
def test_hints(body: Any, seconds: float | None):
    assert hint_of(body, now=NOW) == seconds


def test_a_hint_of_the_head_counts_too():
    head = Answer(200, "application/json", b"{}", "x", retry_after=8.0)
    assert hint_of({"retry_after": 3}, head) == 8.0
    assert hint_of({}, head) == 8.0


def test_the_pace_grows_to_its_limit():
    pace, pause, pauses = Pace(), Pace().first, list[float]()
    for _ in range(7):
        pauses.append(round(pause, 2))
        pause = pace.after(pause)
    assert pauses == [1.5, 2.25, 3.38, 5.06, 7.59, 11.39, 11.5]


async def tasked(server: FakeKnowrithm, *answers: Any, pace: Pace = QUICK) -> tuple[Any, list[float]]:
    """What a task came to, and the pauses that were made for it."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))

    server.on("GET /api/v1/tasks/t/status", *answers)
    access = KnowrithmAccess(server.base, key(), pace=pace, timeouts=AT_ONCE, sleep=sleep)
    try:
        return await access.task("/v1/tasks/t/status", what="It was not done"), slept
    finally:
        await access.door.aclose()


async def test_a_task_is_asked_at_its_pace_and_the_servers(server: FakeKnowrithm):
    going = answer(200, {"status": "started"})
    found, slept = await tasked(
        server, going, going, answer(200, {"status": "started"}, {"retry-after": "4"}),
        answer(200, {"status": "done", "result": 7}), pace=Pace(),
    )  # fmt: skip
    assert (found, slept) == (7, [1.5, 2.25, 3.375, 4.0])


async def test_a_task_that_never_ends_is_given_up(server: FakeKnowrithm):
    with pytest.raises(ConnectionLost, match="did not finish in 180 s"):
        await tasked(server, answer(200, {"status": "started"}), pace=Pace())
    assert 15 < len(server.seen) < 25


async def test_a_task_whose_server_stumbles(server: FakeKnowrithm):
    busy = answer(429, {"error": "slow down"}, {"retry-after": "2"})
    bad = answer(500, {"error": "x"})
    found, slept = await tasked(server, busy, bad, answer(200, {"status": "done", "data": 1}))
    assert (found, slept[1]) == (1, 2.0)
    with pytest.raises(ServerFailed):
        await tasked(server, bad)


# Acknowledgements and addresses


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"status": "accepted", "task_id": "t1"}, "/v1/tasks/t1/status"),
        ({"status": "Queued", "status_url": "/v1/tasks/t1/status"}, "/v1/tasks/t1/status"),
        ({"status": "pending", "status_url": "/api/v1/tasks/t1/status?x=1"}, "/v1/tasks/t1/status?x=1"),
        (
            {"status": "pending", "poll_url": "https://evil.example/api/v1/tasks/t1/status"},
            "/v1/tasks/t1/status",
        ),
        ({"status": "pending", "poll_url": "tasks/t1/status"}, "/v1/tasks/t1/status"),
        (
            {"status": "queued", "task_id": "t1", "poll_url": "/v1/conversation/c/messages"},
            "/v1/tasks/t1/status",
        ),
        ({"status": "queued", "poll_url": "/v1/conversation/c/messages?page=1"}, None),
        ({"status": "queued", "status_url": "javascript:alert(1)"}, None),
        ({"status": "queued", "status_url": "/../../admin", "task_id": "t1"}, "/v1/tasks/t1/status"),
        ({"status": "queued", "status_url": "/%2e%2e/admin"}, None),
        ({"status": "queued", "status_url": "//evil.example/tasks/t1"}, "/v1/tasks/t1"),
        ({"status": "queued", "task_id": "../../x"}, None),
    ],
)
def test_acknowledgements(body: Any, path: str | None):
    ack = ack_of(body, BASE)
    assert ack is not None
    assert ack.task_path == path


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": "accepted"},
        {"status": "completed", "task_id": "t"},
        {"task_id": "t"},
        [],
        None,
        "accepted",
    ],
)
def test_no_acknowledgements(body: Any):
    assert ack_of(body, BASE) is None


@pytest.mark.parametrize(
    ("named", "base", "path"),
    [
        ("https://x.example/tenant/api/v1/tasks/a", "https://x.example/tenant/api", "/v1/tasks/a"),
        ("/v1/a b", BASE, None),
        ("/v1/a\nb", BASE, None),
        ("", BASE, None),
        (None, BASE, None),
        (7, BASE, None),
        ("x" * 2000, BASE, None),
        ("https://[::1/x", BASE, None),
        ("/", BASE, None),
    ],
)
def test_paths_of_ones_own(named: object, base: str, path: str | None):
    assert own_path(named, base) == path


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", BASE),
        ("app.knowrithm.org", BASE),
        ("https://app.knowrithm.org/", BASE),
        ("https://app.knowrithm.org/api/v1/", BASE),
        ("https://app.knowrithm.org/api", BASE),
        ("localhost:8543", "http://localhost:8543/api"),
        ("https://own.example:8543/kn/api", "https://own.example:8543/kn/api"),
    ],
)
def test_addresses(typed: str, found: str):
    assert knowrithm_address(typed) == found
    assert check_address(typed) is None


@pytest.mark.parametrize("typed", ["http://own.example/api", "ftp://x", "a b", "https://u:p@x.example"])
def test_addresses_nothing_is_sent_to(typed: str):
    assert isinstance(check_address(typed), CannotConnect)


def test_json_in_json_is_read_no_deeper_than_needed():
    assert login_of(json.dumps(json.dumps({"access_token": "a"}))) is None

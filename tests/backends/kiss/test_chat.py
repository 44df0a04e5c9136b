"""kai-tui and a stack: signing in, starting, asking, and what is done when the server has forgotten (§2-§4, §9)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from kai_tui.backends.base import (
    BackendError,
    CannotConnect,
    NotFound,
    Outgoing,
    Refused,
    ServerFailed,
    TokenRefused,
    UnexpectedAnswer,
    Unsupported,
    Waiting,
)
from kai_tui.backends.http import Timeouts
from kai_tui.backends.kiss.access import LOST_DOCUMENTS, SIGNING_IN, STARTING, WAITING, KissClient
from kai_tui.backends.kiss.client import KissBackend
from kai_tui.backends.secret import Secret
from kai_tui.conversation import events as e
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from tests.backends.fault_server import closed_port
from tests.backends.kai_server import TIMEOUT, Exchange, Gate, Handler, answer
from tests.fakes.kiss import FakeKiss
from tests.fixture_cases import FIXTURES

CAPTURES = FIXTURES / "kiss-ai-stack"
CHAT = "6919e0d7-9740-4f10-a481-af116888937e"
AT_ONCE = Timeouts(pauses=(0.0, 0.0))


class Keyring:
    """What is kept for the next start, and every word that came."""

    def __init__(self, kept: KissClient | None = None) -> None:
        self.kept = kept
        self.words: list[KissClient | None] = []

    async def keep(self, client: KissClient | None) -> None:
        self.kept = client
        self.words.append(client)


@pytest.fixture
async def server() -> AsyncIterator[FakeKiss]:
    async with FakeKiss() as running:
        yield running


def kiss(server: FakeKiss, keyring: Keyring | None = None, **options: Any) -> KissBackend:
    keyring = keyring or Keyring()
    return KissBackend(server.url, known=keyring.kept, keep=keyring.keep, **{"timeouts": AT_ONCE, **options})


def says(text: str, **more: Any) -> Outgoing:
    return Outgoing("35fa9159-d0a5-45a5-96a4-a63f546c9f3b", text, **more)


async def asked(backend: KissBackend, text: str, **more: Any) -> list[e.Event]:
    async with asyncio.timeout(TIMEOUT), aclosing(backend.send(CHAT, says(text, **more))) as events:
        return [event async for event in events]


def folded(events: Sequence[e.Event]) -> Message:
    message, state = Message(), FoldState()
    for event in events:
        fold(message, event, state)
    assert [isinstance(event, e.Finish) for event in events].count(True) == 1
    assert isinstance(events[-1], e.Finish)
    return message


def statuses(events: Sequence[e.Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, e.Status)]


def calls(server: FakeKiss) -> list[str]:
    return [
        f"{seen.path.removeprefix('/')}{'?' + seen.query['action'] if 'action' in seen.query else ''}"
        for seen in server.seen
    ]


# Asking


async def test_the_first_question_signs_in_starts_the_stack_and_is_answered(server: FakeKiss):
    keyring = Keyring()
    backend = kiss(server, keyring)
    events = await asked(backend, "What is the weather today?")
    assert statuses(events) == [SIGNING_IN, STARTING, WAITING]
    assert folded(events).text == "Hello from the stub model. You said: What is the weather today?"
    assert folded(events).finish == e.Finish("stop")
    assert calls(server) == ["auth", "sessions?init", "queries"]
    assert server.seen[0].body == {"scope": "persistent", "client_id": None, "client_secret": None}
    assert "authorization" not in server.seen[0].headers
    assert server.seen[2].body == {"query": "What is the weather today?"}
    client = server.only_client()
    assert keyring.kept == KissClient(client.client_id, Secret(client.secret), "persistent")
    events = await asked(backend, "And tomorrow?")
    assert statuses(events) == [WAITING]
    assert calls(server)[3:] == ["queries"]
    await backend.aclose()
    assert calls(server)[4:] == []
    assert keyring.kept is not None


async def test_a_known_client_gets_a_new_token_at_the_next_start(server: FakeKiss):
    keyring = Keyring()
    for _ in range(2):
        backend = kiss(server, keyring)
        await asked(backend, "Hi")
        await backend.aclose()
    client = server.only_client()
    assert server.seen[3].body == {
        "scope": None,
        "client_id": client.client_id,
        "client_secret": client.secret,
    }
    assert keyring.words == [keyring.kept]


async def test_a_token_that_ran_out_is_renewed_without_a_word(server: FakeKiss):
    backend = kiss(server)
    refused: list[TokenRefused] = []
    backend.on_refused = refused.append
    await asked(backend, "Hi")
    server.expire_tokens()
    assert folded(await asked(backend, "Again")).text.endswith("Again")
    assert calls(server)[3:] == ["queries", "auth", "queries"]
    assert refused == []
    await backend.aclose()


async def test_after_a_restart_of_the_server_the_stack_is_started_again(server: FakeKiss):
    backend = kiss(server)
    await asked(backend, "Hi")
    server.restart()
    assert folded(await asked(backend, "Again")).text.endswith("Again")
    assert calls(server)[3:] == ["queries", "sessions?init", "queries"]
    assert server.begun == ["Hi", "Again"]
    await backend.aclose()


async def test_both_at_once(server: FakeKiss):
    backend = kiss(server)
    await asked(backend, "Hi")
    server.restart()
    server.expire_tokens()
    assert folded(await asked(backend, "Again")).text.endswith("Again")
    assert calls(server)[3:] == ["queries", "auth", "queries", "sessions?init", "queries"]
    await backend.aclose()


async def test_a_model_that_fails_is_asked_twice_at_most_and_leaves_nothing(server: FakeKiss):
    backend = kiss(server)
    await backend.connect()
    with pytest.raises(ServerFailed) as caught:
        await asked(backend, "fail401 now")
    assert calls(server).count("queries") == 2
    assert calls(server).count("sessions?init") == 2
    assert caught.value.delivery == "not-sent"
    assert "gives no reason" in caught.value.sentence
    assert "send it again" in caught.value.sentence
    assert folded(await asked(backend, "Hi")).finish == e.Finish("stop")
    await backend.aclose()


async def test_a_forgotten_client_is_made_anew_and_the_user_told(server: FakeKiss):
    keyring = Keyring(KissClient("f71218e5-3df3-4827-a700-a63692b50800", Secret("old"), "persistent"))
    backend = kiss(server, keyring)
    told: list[str] = []
    backend.on_notice = told.append
    assert folded(await asked(backend, "Hi")).text
    assert told == [LOST_DOCUMENTS]
    assert calls(server) == ["auth", "auth", "sessions?init", "queries"]
    assert keyring.words == [None, keyring.kept]
    assert keyring.kept is not None
    assert keyring.kept.client_id == server.only_client().client_id
    await backend.aclose()


async def test_a_client_switched_off_meanwhile_is_made_anew(server: FakeKiss):
    backend = kiss(server, scope="temporary")
    await asked(backend, "Hi")
    server.only_client().active = False
    assert folded(await asked(backend, "Again")).text
    assert [client.active for client in server.clients.values()] == [False, True]
    await backend.aclose()


async def test_a_proxys_401_is_no_reason_to_forget_the_client(server: FakeKiss):
    client, _ = server.new_client()
    keyring = Keyring(KissClient(client.client_id, Secret(client.secret), "persistent"))
    server.on("POST /auth", answer(401, b"<html><title>Login</title></html>", {"content-type": "text/html"}))
    backend = kiss(server, keyring)
    refused: list[TokenRefused] = []
    backend.on_refused = refused.append
    with pytest.raises(TokenRefused):
        await asked(backend, "Hi")
    assert keyring.words == []
    assert len(refused) == 1
    await backend.aclose()


async def test_a_token_refused_again_is_told_and_not_tried_for_ever(server: FakeKiss):
    server.on("POST /queries", answer(401, {"detail": "Invalid token"}))
    backend = kiss(server)
    refused: list[TokenRefused] = []
    backend.on_refused = refused.append
    with pytest.raises(TokenRefused):
        await asked(backend, "Hi")
    assert calls(server) == ["auth", "sessions?init", "queries", "auth", "queries"]
    assert len(refused) == 1
    await backend.aclose()


async def test_two_chats_refused_with_one_token_sign_in_once(server: FakeKiss):
    backend = kiss(server)
    await asked(backend, "Hi")
    server.expire_tokens()
    server.restart()
    first, second = await asyncio.gather(asked(backend, "One"), asked(backend, "Two"))
    assert folded(first).text.endswith("One")
    assert folded(second).text.endswith("Two")
    assert calls(server)[3:].count("auth") == 1
    await backend.aclose()


async def test_hanging_up_leaves_no_trace(server: FakeKiss):
    server.gates["slow"] = Gate()
    backend = kiss(server)
    await backend.connect()
    stream = backend.send(CHAT, says("slow"))
    assert await anext(stream) == e.Status(WAITING)
    task = asyncio.ensure_future(anext(stream))
    async with asyncio.timeout(TIMEOUT):
        while server.begun != ["slow"]:
            await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await stream.aclose()
    assert folded(await asked(backend, "ping")).text.endswith("ping")
    server.gates["slow"].open()
    assert calls(server).count("queries") == 2
    await backend.aclose()


async def test_several_chats_can_ask_at_once(server: FakeKiss):
    server.gates["slow"] = Gate()
    backend = kiss(server)
    await backend.connect()
    slow = asyncio.create_task(asked(backend, "slow"))
    assert folded(await asked(backend, "quick")).text.endswith("quick")
    assert not slow.done()
    server.gates["slow"].open()
    assert folded(await slow).text.endswith("slow")
    await backend.aclose()


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("", ""),
        (None, ""),
        ({"rows": [1, "é"]}, '{\n  "rows": [\n    1,\n    "é"\n  ]\n}'),
        (7, "7"),
        ([], "[]"),
    ],
)
async def test_results_of_any_kind(server: FakeKiss, result: Any, text: str):
    server.answers["x"] = result
    backend = kiss(server)
    assert folded(await asked(backend, "x")).text == text
    await backend.aclose()


async def test_nothing_is_asked_for_nothing(server: FakeKiss):
    backend = kiss(server)
    with pytest.raises(Refused):
        await asked(backend, "  \n")
    assert server.seen == []
    await backend.aclose()


# Memory


async def test_earlier_turns_go_along_only_when_wanted(server: FakeKiss):
    earlier = (Message.user("1", "My name is Ada."), Message.from_wire(
        {"id": "2", "role": "assistant", "parts": [{"type": "text", "text": "Hello Ada."}]}
    ))  # fmt: skip
    backend = kiss(server)
    await asked(backend, "Who am I?", earlier=earlier)
    await backend.aclose()
    backend = kiss(server, send_earlier=True)
    await asked(backend, "Who am I?", earlier=earlier)
    await asked(backend, "Who am I?")
    await backend.aclose()
    with_memory = "Earlier in this conversation:\n\nUser: My name is Ada.\n\nAssistant: Hello Ada.\n\nNow answer this:\n\nWho am I?"
    assert server.begun == ["Who am I?", with_memory, "Who am I?"]


async def test_the_oldest_of_too_much_is_left_out(server: FakeKiss):
    earlier = [Message.user(str(number), f"{number} " + "x" * 3_000) for number in range(40)]
    broken = Message.from_wire(
        {"id": "b", "role": "assistant", "parts": [{"type": "text", "text": "half an answer"}]}
    )
    broken.finish = e.Finish("lost")
    backend = kiss(server, send_earlier=True)
    await asked(backend, "Now", earlier=(*earlier, broken))
    await backend.aclose()
    (sent,) = server.begun
    assert len(sent) < 12_500
    assert "User: 39 " in sent
    assert "User: 35 " not in sent
    assert "half" not in sent
    assert sent.endswith("Now answer this:\n\nNow")


# Leaving


async def test_a_temporary_client_is_closed_and_forgotten_at_the_end(server: FakeKiss):
    keyring = Keyring()
    backend = kiss(server, keyring, scope="temporary")
    await asked(backend, "Hi")
    assert keyring.kept is not None
    await backend.aclose()
    await backend.aclose()
    assert calls(server) == ["auth", "sessions?init", "queries", "auth", "sessions?close"]
    assert server.only_client().active is False
    assert keyring.kept is None


async def test_leaving_after_the_token_ran_out_and_the_stack_was_lost_still_closes(server: FakeKiss):
    keyring = Keyring()
    backend = kiss(server, keyring, scope="temporary")
    await asked(backend, "Hi")
    server.expire_tokens()
    server.restart()
    await backend.aclose()
    assert server.only_client().active is False
    assert keyring.kept is None


async def test_leaving_a_server_that_is_gone_is_quick_and_keeps_the_client_for_next_time(server: FakeKiss):
    keyring = Keyring()
    backend = kiss(server, keyring, scope="temporary")
    await asked(backend, "Hi")
    server.on("POST /auth", answer(502, b"bad gateway", {"content-type": "text/plain"}))
    async with asyncio.timeout(TIMEOUT):
        await backend.aclose()
    assert keyring.kept is not None


async def test_what_a_crash_left_behind_is_closed_at_the_next_start(server: FakeKiss):
    keyring = Keyring()
    crashed = kiss(server, keyring, scope="temporary")
    await asked(crashed, "Hi")
    await crashed._door.aclose()  # pyright: ignore[reportPrivateUsage]
    assert keyring.kept is not None
    server.restart()
    backend = kiss(server, keyring, scope="temporary")
    await asked(backend, "Hi again")
    assert [client.active for client in server.clients.values()] == [False, True]
    assert keyring.kept is not None
    assert server.clients[keyring.kept.client_id].active
    await backend.aclose()


async def test_a_left_over_is_not_forgotten_while_the_server_is_away(server: FakeKiss):
    port = closed_port()
    keyring = Keyring(KissClient("a", Secret("b"), "temporary"))
    backend = KissBackend(f"http://127.0.0.1:{port}", known=keyring.kept, keep=keyring.keep, timeouts=AT_ONCE)
    for _ in range(2):
        with pytest.raises(CannotConnect):
            await asked(backend, "Hi")
    assert keyring.words == []
    await backend.aclose()


async def test_starting_over(server: FakeKiss):
    keyring = Keyring()
    backend = kiss(server, keyring)
    await asked(backend, "Hi")
    await backend.start_over("temporary")
    assert keyring.kept is None
    await asked(backend, "Hi")
    assert [client.scope for client in server.clients.values()] == ["persistent", "temporary"]
    assert backend.scope == "temporary"
    await backend.aclose()


async def test_nothing_is_closed_that_was_never_opened(server: FakeKiss):
    backend = kiss(server, scope="temporary")
    await backend.aclose()
    assert server.seen == []


# About


async def test_connect_and_about(server: FakeKiss):
    backend = kiss(server)
    info = await backend.connect()
    assert (info.service, info.name, info.version, info.address) == (
        "kiss-ai-stack", "KISS AI Stack", "", server.url,
    )  # fmt: skip
    assert calls(server) == ["auth", "sessions?init"]
    assert await backend.alive() == ""
    assert len(server.clients) == 1
    await backend.aclose()


async def test_no_stack_at_the_address(server: FakeKiss):
    server.on("POST /auth", answer(404, {"error": "nothing here"}))
    backend = kiss(server)
    with pytest.raises(NotFound, match="There is no KISS AI Stack at 127"):
        await backend.connect()
    server.on("POST /auth", answer(200, b"<html>hi</html>", {"content-type": "text/html"}))
    with pytest.raises(UnexpectedAnswer, match="login page"):
        await backend.connect()
    server.on("POST /auth", answer(200, {"client_id": "x"}))
    with pytest.raises(UnexpectedAnswer, match="does not understand"):
        await backend.connect()
    await backend.aclose()


async def test_what_it_cannot_do_is_refused_before_anything_is_sent(server: FakeKiss):
    backend = kiss(server)
    assert backend.caps.history == "local"
    assert (backend.caps.votes, backend.caps.delete, backend.caps.approval) == (False, True, "none")
    message = Message()
    for call in (
        backend.vote(CHAT, "m", True), backend.quota(),
        backend.instructions("user"), backend.set_instructions("user", "x"), backend.permissions(),
        backend.set_permissions(None), backend.suggestions(), anext(backend.answer(CHAT, message, [])),
    ):  # fmt: skip
        with pytest.raises(Unsupported, match=r"^KISS AI Stack has no "):
            await call
    with pytest.raises(Unsupported):
        backend.renew(Secret("x"))
    assert await backend.tools() == ()
    assert await backend.votes(CHAT) == {}
    assert server.seen == []
    await backend.aclose()


# Recordings


def in_pieces(content: bytes, sizes: Sequence[int]) -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.start({"content-type": "application/json"})
        at = 0
        for size in [*sizes, len(content)]:
            await exchange.write(content[at : at + size])
            at += size

    return handler


def cuts(content: bytes, how: str) -> list[int]:
    if how == "whole":
        return []
    if how == "bytes":
        return [1] * len(content)
    chance = random.Random(how)
    return [chance.randint(1, 40) for _ in range(len(content) // 10)]


@pytest.mark.parametrize("how", ["whole", "bytes", *(f"random {number}" for number in range(5))])
@pytest.mark.parametrize(
    "name", ["03-query", "04-query-unicode", "06-query-document", "24-query-after-abandoned-slow-query"]
)
async def test_recorded_answers(server: FakeKiss, name: str, how: str):
    content = (CAPTURES / f"{name}.body").read_bytes()
    server.on("POST /queries", in_pieces(content, cuts(content, how)))
    backend = kiss(server)
    events = [event for event in await asked(backend, "x") if not isinstance(event, e.Status)]
    kinds = [type(event) for event in events]
    expected: dict[str, tuple[str, list[dict[str, Any]]]] = {
        "03-query": ("Hello from the stub model. You said: What is the weather today?", []),
        "04-query-unicode": (
            'Žluťoučký kůň 🐎 — naïve “quotes”\nnew line\n\n```python\nprint("hi")\n```\n', []
        ),
        "06-query-document": (
            "Hello from the stub model. You said:  Give me a summary of example documents\n\n            Answer:",
            [{
                "type": "source-document", "sourceId": "document-1", "mediaType": "text/plain", "title": "sales.xlsx",
                "number": 1, "excerpt": "Sheet: Sheet1\nregion  sales\n north     10\n south     20",
                "metadata": {"category": "example"},
            }],
        ),
        "24-query-after-abandoned-slow-query": ("Hello from the stub model. You said: ping", []),
    }  # fmt: skip
    text, parts = expected[name]
    assert kinds == [e.Start, e.TextStart, e.TextDelta, e.TextEnd, *[e.WholePart] * len(parts), e.Finish]
    message = folded(events)
    assert message.text == text
    assert [part.to_wire() for part in message.parts[1:]] == parts
    assert "server-tmp" not in str(message.to_wire())
    await backend.aclose()


@pytest.mark.parametrize(
    ("name", "error", "says", "posts"),
    [
        ("08-query-unknown-tool", ServerFailed, "gives no reason", 2),
        ("09-query-model-error", ServerFailed, "gives no reason", 2),
        ("14-query-before-init", ServerFailed, "gives no reason", 2),
        ("11-query-after-close", TokenRefused, "Token refused", 2),
        ("19-bad-token", TokenRefused, "Token refused", 2),
        ("26-expired-token", TokenRefused, "Token refused", 2),
        ("20-bad-action", Refused, "(400): Invalid action: dance.", 1),
        ("21-query-null", Refused, "Input should be a valid string.", 1),
        ("22-get-root", NotFound, "", 1),
    ],
)
async def test_recorded_refusals(
    server: FakeKiss, name: str, error: type[BackendError], says: str, posts: int
):
    import json

    recorded = json.loads((CAPTURES / f"{name}.json").read_text())["response"]
    content = (CAPTURES / f"{name}.body").read_bytes()
    kind = dict(recorded["headers"])["content-type"]
    server.on("POST /queries", answer(recorded["status"], content, {"content-type": kind}))
    backend = kiss(server)
    with pytest.raises(error) as caught:
        await asked(backend, "x")
    assert type(caught.value) is error
    assert says in caught.value.sentence
    assert caught.value.delivery == "not-sent"
    assert calls(server).count("queries") == posts
    await backend.aclose()


async def test_waits_are_told(server: FakeKiss):
    waits: list[Waiting | None] = []
    backend = KissBackend(f"http://127.0.0.1:{closed_port()}", timeouts=AT_ONCE)
    with pytest.raises(CannotConnect):
        async with aclosing(backend.send(CHAT, says("Hi"), on_wait=waits.append)) as events:
            async for event in events:
                assert isinstance(event, e.Status)
    assert [wait.attempt if wait else None for wait in waits] == [2, None, 3, None]
    await backend.aclose()

"""Replies that break off and are taken up again, by the vendor's own resumable streams (§15)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kai_tui.backends.assistant_ui.client import AssistantUiBackend
from kai_tui.backends.base import NotFound, Unsupported
from kai_tui.conversation.events import Event, TextDelta
from tests.backends.assistant_ui.captures import capture
from tests.backends.assistant_ui.kit import THREAD, Conversations, Turn, backend, failing, folded, says, sent
from tests.backends.kai_server import TIMEOUT, Exchange, Hangup, answer
from tests.fakes.assistant_ui import FakeAssistantUi, Format

PATH = "/api/resumable"
WHOLE = "".join(f"word{number} " for number in range(21))


@pytest.fixture
async def server() -> AsyncIterator[FakeAssistantUi]:
    async with FakeAssistantUi(keeps_streams=True) as running:
        running.go_on.set()
        yield running


def resumed(server: FakeAssistantUi) -> int:
    return sum(seen.method == "GET" for seen in server.seen)


async def until_it_hangs_up(client: AssistantUiBackend) -> Turn:
    """A reply whose connections are dropped on purpose as soon as there is text."""

    async def events() -> AsyncIterator[Event]:
        async for event in client.send(THREAD, says("slow")):
            yield event
            if isinstance(event, TextDelta):
                await client.hang_up()

    return await folded(events())


@pytest.mark.parametrize("fmt", ["data", "transport", "openai"])
@pytest.mark.parametrize("after", [0, 1, 40, 90, 150])
async def test_a_reply_that_breaks_off_anywhere_goes_on_by_itself(
    server: FakeAssistantUi, fmt: Format, after: int
):
    server.fmt, server.break_after = fmt, after
    client = backend(server.url, resume_path=PATH)
    turn = await sent(client, "slow")
    await client.aclose()
    assert turn.text == WHOLE
    assert turn.message.faults == []
    assert (len(server.calls("POST /api/chat")), resumed(server)) == (1, 1)
    assert server.break_after is None


async def test_without_a_path_a_broken_reply_is_lost(server: FakeAssistantUi):
    server.break_after = 90
    client = backend(server.url)
    turn = await sent(client, "slow")
    await client.aclose()
    assert turn.reason == "lost"
    assert turn.message.finish is not None
    assert turn.message.finish.detail == "Connection lost after 8 words."
    assert resumed(server) == 0


async def test_an_error_that_was_named_is_not_taken_up_again(server: FakeAssistantUi):
    client = backend(server.url, resume_path=PATH)
    turn = await sent(client, "crash")
    await client.aclose()
    assert (turn.reason, turn.text) == ("error", "Partial")


def breaking(*bodies: bytes, then: bytes | None = None) -> Any:
    """Each request gets the next of these, cut off; `then` the last one, whole."""
    left = list(bodies)

    async def handler(exchange: Exchange) -> None:
        await exchange.start({"content-type": "text/plain", "x-resumable-stream-id": "r1"})
        if not left and then is not None:
            await exchange.write(then)
            return
        await exchange.write(left.pop(0) if len(left) > 1 else left[0])
        raise Hangup

    return handler


async def test_another_reply_in_its_place_is_not_taken_for_it(server: FakeAssistantUi):
    server.on("POST /api/chat", breaking(b'0:"One "\n'))
    server.on(f"GET {PATH}/r1", breaking(b'0:"Two "\n0:"three"\n'))
    client = backend(server.url, resume_path=PATH)
    turn = await sent(client, "hello")
    await client.aclose()
    assert (turn.text, turn.reason) == ("One ", "lost")


async def test_a_server_that_breaks_off_for_ever_is_left(server: FakeAssistantUi):
    server.on("POST /api/chat", breaking(b'0:"One "\n'))
    server.on(f"GET {PATH}/r1", breaking(b'0:"One "\n'))
    client = backend(server.url, resume_path=PATH)
    turn = await sent(client, "hello")
    await client.aclose()
    assert (turn.text, turn.reason) == ("One ", "lost")
    assert 1 < resumed(server) <= 4


async def test_progress_counts_for_patience(server: FakeAssistantUi):
    pieces = [b"".join(b'0:"%d "\n' % number for number in range(upto)) for upto in range(1, 12)]
    server.on("POST /api/chat", breaking(pieces[0]))
    server.on(
        f"GET {PATH}/r1", *(breaking(piece) for piece in pieces[1:]), breaking(then=pieces[-1] + b'0:"end"\n')
    )
    client = backend(server.url, resume_path=PATH)
    turn = await sent(client, "hello")
    await client.aclose()
    assert turn.text == "".join(f"{number} " for number in range(11)) + "end"


@pytest.mark.parametrize(
    "gone",
    [
        answer(404, {"error": "stream not found"}),
        answer(204),
        answer(500),
        answer(200, b"<html>", {"content-type": "text/html"}),
    ],
)
async def test_a_reply_the_server_no_longer_has_is_lost(server: FakeAssistantUi, gone: Any):
    server.on("POST /api/chat", breaking(b'0:"One "\n'))
    server.on(f"GET {PATH}/r1", gone)
    client = backend(server.url, resume_path=PATH)
    turn = await sent(client, "hello")
    await client.aclose()
    assert (turn.text, turn.reason) == ("One ", "lost")


async def test_hanging_up_on_purpose_ends_it(server: FakeAssistantUi):
    server.go_on.clear()
    client = backend(server.url, resume_path=PATH)
    assert (await until_it_hangs_up(client)).reason == "lost"
    assert resumed(server) == 0
    await client.aclose()


# After a crash of ours


async def test_a_broken_reply_can_be_taken_up_later_from_its_beginning(server: FakeAssistantUi):
    store = Conversations()
    server.go_on.clear()
    first = backend(server.url, store, resume_path=PATH)
    assert (await until_it_hangs_up(first)).reason == "lost"
    server.go_on.set()
    later = backend(server.url, store, resume_path=PATH)
    turn = await folded(later.take_up(THREAD))
    assert turn.text == WHOLE
    assert (await store.load(THREAD)).stream_id is None
    assert isinstance(await failing(folded(later.take_up(THREAD))), NotFound)
    await later.aclose()
    await first.aclose()
    assert len(server.calls("POST /api/chat")) == 1


async def test_a_state_is_taken_up_from_where_the_reply_began(server: FakeAssistantUi):
    store = Conversations()
    client = backend(server.url, store, resume_path=PATH)
    await sent(client, "state")
    server.break_after = 200
    broken = backend(server.url, store, resume_path=PATH)
    assert (await sent(broken, says("state", "u2"))).text == "Turn 2"
    assert len((await store.load(THREAD)).state["messages"]) == 4
    await client.aclose()
    await broken.aclose()


async def test_a_reply_that_is_gone_is_forgotten(server: FakeAssistantUi):
    store = Conversations()
    server.on("POST /api/chat", breaking(b'0:"One "\n'))
    server.on(f"GET {PATH}/r1", answer(404, {"error": "stream not found"}))
    client = backend(server.url, store, resume_path=PATH)
    assert (await sent(client, "hello")).reason == "lost"
    assert (await store.load(THREAD)).stream_id == "r1"
    error = await failing(folded(client.take_up(THREAD)))
    assert isinstance(error, NotFound)
    assert "no longer keeps this reply" in error.sentence
    assert (await store.load(THREAD)).stream_id is None
    await client.aclose()


async def test_without_a_path_there_is_nothing_to_take_up(server: FakeAssistantUi):
    client = backend(server.url)
    assert isinstance(await failing(folded(client.take_up(THREAD))), Unsupported)
    await client.aclose()


async def test_the_recorded_resumption_gives_the_whole_reply(server: FakeAssistantUi):
    start, rest = (
        capture("library-encoders/resumable-01-start"),
        capture("library-encoders/resumable-02-resume"),
    )

    async def cut(exchange: Exchange) -> None:
        await exchange.start(start.headers)
        await exchange.write(start.body)
        raise Hangup

    async def whole(exchange: Exchange) -> None:
        await exchange.start(rest.headers)
        await exchange.write(rest.body)

    server.on("POST /api/chat", cut)
    server.on(f"GET {PATH}/run-1", whole)
    client = backend(server.url, resume_path=PATH)
    turn = await sent(client, "slow")
    await client.aclose()
    assert turn.text == "".join(f"word{number} " for number in range(60))
    assert turn.reason == "stop"
    assert sum(len(e.delta) for e in turn.events if isinstance(e, TextDelta)) == len(turn.text)


async def test_stopping_a_kept_reply_stops_the_run(server: FakeAssistantUi):
    server.go_on.clear()
    store = Conversations()
    client = backend(server.url, store, resume_path=PATH)
    task = asyncio.create_task(sent(client, "slow"))
    async with asyncio.timeout(TIMEOUT):
        await server.waiting.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.aclose()
    assert server.cancelled == [THREAD]
    assert (await store.load(THREAD)).stream_id is None

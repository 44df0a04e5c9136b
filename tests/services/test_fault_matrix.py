"""t_stream_faults from the server to the screen: every row of reliability.md §3, in both services.

A real server on loopback breaks in one way; the real backend, session and files meet it. Each case says
what the user reads, what is kept in memory and on disk, and how many POSTs arrived.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from kai_tui.backends.base import Delivery
from kai_tui.services.chat_session import ChatSession
from tests.backends.fault_server import (
    CHAT_POST,
    END,
    NO_SUCH_HOST,
    TEXT,
    black_hole,
    closed_port,
)
from tests.backends.kai_server import never, stream
from tests.services.fault_house import AT_ONCE, CANARY, SHORT, Back, House, over, screen
from tests.services.fault_house import house as house
from tests.services.scripted_backend import until

# What the server refuses, and what nobody knows


@dataclass(frozen=True)
class Row:
    """What must come of one fault before the answer begins."""

    fault: str
    back: Back
    delivery: Delivery
    sees: str
    says: str = ""
    outbox: str | None = "not-sent"


RESEND = "· Ctrl+S sends it"
ARRIVED = "Your message did arrive."
NEVER_ARRIVED = "Your message did not arrive."
_UNSURE = (
    "500",
    "502-html",
    "503-plain",
    "504-json",
    "login-page",
    "closed-before-answering",
    "cut-before-the-first-event",
    "stall-before-headers",
    "gzip",
    "302-to-elsewhere.example",
)
ROWS: tuple[Row, ...] = (
    Row("401", "nothing", "not-sent", f"✗ not sent: The token was refused. {RESEND}", "Token refused by 127.0.0.1"),
    Row(
        "403",
        "nothing",
        "not-sent",
        f"✗ not sent: Not allowed: This chat belongs to another user. {RESEND}",
        "Not allowed: This chat belongs to another user.",
    ),
    Row(
        "404-chat",
        "nothing",
        "not-sent",
        "✗ not sent: This chat no longer exists on the server. · Ctrl+S sends it in a new chat",
        "This chat no longer exists on the server.",
    ),
    Row("404-of-a-proxy", "nothing", "not-sent", "Is it a Kai address?", "Is it a Kai address?"),
    Row("429-retry-after-soon", "nothing", "not-sent", f"✗ not sent: Too many. {RESEND}", "Too many."),
    *(
        Row(name, "nothing", "not-sent", f"✗ not sent: It did not reach the server. {RESEND}", NEVER_ARRIVED)
        for name in _UNSURE
    ),
    *(Row(name, "question", "sent", "○", ARRIVED, None) for name in _UNSURE),
    *(
        Row(name, "answer", "sent", "✗ cut off: The connection was lost. This is what the server had", ARRIVED, None)
        for name in _UNSURE
    ),
    *(
        Row(name, "away", "unsure", "· Ctrl+S checks", "may or may not have arrived", "unsure")
        for name in ("500", "closed-before-answering", "login-page")
    ),
)  # fmt: skip


@pytest.mark.some(12)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.fault}-{row.back}")
async def test_a_message_that_gets_no_answer(house: House, row: Row) -> None:
    fault = house.server.break_chat(row.fault)
    house.back = row.back
    short = fault.needs_short_clocks
    session = house.enter(timeouts=SHORT if short else AT_ONCE, silence=0.2 if short else 600.0)
    session.send("Hello there")
    await over(session)
    if row.back == "question":
        await until(lambda: session.turn.countdown is not None)
    message_id = session.messages[0].id
    assert session.delivery(message_id) == row.delivery
    assert row.sees in screen(session, house.clock)
    assert any(row.says in sentence for sentence in house.said)
    assert "Hello there" in screen(session, house.clock)
    assert CANARY not in screen(session, house.clock) + "".join(house.said)
    if row.back == "answer":
        assert "And the rest." in screen(session, house.clock)
    if row.back == "question":
        assert "The answer may still be on its way: looking again in 3 s (1 of 3) · F5 now" in screen(
            session, house.clock
        )
        session._stop_looking()
    assert await house.outbox(session) == ([row.outbox] if row.outbox else [])
    assert session.gone == (row.fault == "404-chat")
    assert house.server.posts == 1


async def test_while_an_unknown_outcome_is_checked_it_says_so(house: House) -> None:
    house.server.break_chat("500")
    session = house.enter()
    house.server.on(f"GET /api/chat/{session.chat_id}", never)
    session.send("Hello there")
    await until(lambda: "Outcome unknown, checking…" in screen(session, house.clock))
    assert session.turn.busy
    assert house.server.posts == 1


# Connections that do not come to be


@asynccontextmanager
async def no_tls() -> AsyncIterator[int]:
    """A port where plain HTTP is spoken."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.some(4)
@pytest.mark.parametrize("what", ["dns", "refused", "black hole", "tls"])
async def test_a_message_that_reaches_nobody(house: House, what: str) -> None:
    sentences = {
        "dns": f"Cannot find {NO_SUCH_HOST}. Check the address or your network.",
        "refused": "refuses connections.",
        "black hole": "in 0.2 s.",
        "tls": "Secure connection failed:",
    }
    async with black_hole() as hole, no_tls() as plain:
        url = {
            "dns": f"https://{NO_SUCH_HOST}",
            "refused": f"http://127.0.0.1:{closed_port()}",
            "black hole": f"http://127.0.0.1:{hole}",
            "tls": f"https://127.0.0.1:{plain}",
        }[what]
        # Nobody knows how long a busy machine takes to look a name up or to get to a broken handshake's end.
        session = house.enter(url, timeouts=SHORT if what == "black hole" else AT_ONCE)
        counted: list[int] = []

        def count(_: object) -> None:
            countdown = session.turn.countdown
            if countdown is not None and countdown.number not in counted:
                counted.append(countdown.number)
                assert f"Trying again in 1 s ({countdown.number} of 3) · Esc stops" in screen(
                    session, house.clock
                )

        session.observe(count)
        session.send("Hello there")
        await over(session)
    assert session.delivery(session.messages[0].id) == "not-sent"
    assert "✗ not sent: " in screen(session, house.clock)
    assert sentences[what] in screen(session, house.clock)
    assert "Ctrl+S sends it" in screen(session, house.clock)
    # kai-agent is asked for its tools first: there the tries are those of a read.
    if house.flavour == "assistant":
        assert counted == ([] if what == "tls" else [2, 3])
    assert await house.outbox(session) == ["not-sent"]
    assert house.server.posts == 0


# The server asks to wait


@pytest.mark.parametrize("name", ["429-retry-after-7", "503-retry-after-12", "429-retry-after-Tue, 03 Nov "])
async def test_a_wait_the_server_asks_for_is_kept_and_then_the_message_goes_once_more(
    house: House, name: str
) -> None:
    fault = house.server.break_chat(name)
    house.server.on(CHAT_POST, fault.handler, stream(TEXT + END))
    session = house.enter()
    session.send("Hello there")
    await until(lambda: session.turn.phase == "holding")
    assert fault.retry_after is not None
    line = f"The server asks to wait: sending again in {fault.retry_after:.0f} s · Esc cancels"
    assert line in screen(session, house.clock)
    assert session.delivery(session.messages[0].id) == "not-sent"
    assert await waiting_outbox(house, session) == ["not-sent"]
    session.send("And this")
    house.pass_time(session, fault.retry_after - 1)
    assert "sending again in 1 s" in screen(session, house.clock)
    assert house.server.posts == 1
    house.server.on(CHAT_POST, stream(TEXT + END))
    house.pass_time(session, 1.1)
    await until(lambda: house.server.posts == 3 and not session.turn.busy)
    ids = [seen.body["message"]["id"] for seen in house.server.calls(CHAT_POST)]
    assert ids[0] == ids[1] != ids[2]
    assert await house.outbox(session) == []


async def waiting_outbox(house: House, session: ChatSession) -> list[str]:
    """The outbox while the turn still runs."""
    found: list[str] = []

    async def read() -> bool:
        rows = await house.keeper._outbox(session.chat_id)
        found[:] = [row.state for row in rows]
        return found == ["not-sent"]

    async with asyncio.timeout(10):
        while not await read():
            await asyncio.sleep(0.005)
    return found


@pytest.mark.some(4)
@pytest.mark.parametrize("how", ["again", "stopped", "left", "too long", "junk"])
async def test_otherwise_a_wait_ends_with_a_key_and_no_further_post(house: House, how: str) -> None:
    names = {"too long": "429-retry-after-999999999999", "junk": "429-retry-after-1e9"}
    house.server.break_chat(names.get(how, "429-retry-after-7"))
    session = house.enter()
    session.send("Hello there")
    if how in ("again", "stopped", "left"):
        await until(lambda: session.turn.phase == "holding")
        if how == "again":
            house.pass_time(session, 8)
        elif how == "stopped":
            session.stop()
        else:
            session.set_watched(False)
    await over(session)
    house.pass_time(session, 700)
    await asyncio.sleep(0.02)
    assert house.server.posts == (2 if how == "again" else 1)
    shown = screen(session, house.clock)
    assert RESEND in shown
    assert ("asks to wait until" in shown) == (how != "junk")
    assert await house.outbox(session) == ["not-sent"]


# Silence


@pytest.mark.parametrize("name", ["stall-before-headers", "stall", "only-keep-alives"])
async def test_silence_is_counted_in_events_and_a_stop_asks_what_became_of_it(
    house: House, name: str
) -> None:
    house.server.break_chat(name)
    house.back = "question"
    session = house.enter()
    session.send("Hello there")
    phase = "sending" if name == "stall-before-headers" else "streaming"
    await until(lambda: session.turn.phase == phase and house.server.posts)
    if phase == "streaming":
        await until(lambda: session.messages[-1].text == "Two words, and more.")
    house.pass_time(session, 16)
    assert session.turn.silence == "waiting"
    assert "Still nothing" not in screen(session, house.clock)
    house.pass_time(session, 45)
    assert "Still nothing for 1 min 1 s: Esc stops, or keep waiting" in screen(session, house.clock)
    session.stop()
    await until(lambda: not session._background)
    shown = screen(session, house.clock)
    assert session.delivery(session.messages[0].id) == "sent"
    if phase == "streaming":
        assert "Two words, and more." in shown
        assert "■ stopped. Kai may still be working on the server. · F5 looks again" in shown
    else:
        assert "○ no answer yet: Stopped. Kai may still be working on the server. · F5 looks again" in shown
    assert await house.outbox(session) == []
    assert house.server.posts == 1

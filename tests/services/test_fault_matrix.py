"""t_stream_faults from the server to the screen: every row of reliability.md §3, in both services.

A real server on loopback breaks in one way; the real backend, session and files meet it. Each case says
what the user reads, what is kept in memory and on disk, and how many POSTs arrived.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest

from kai_tui.backends.base import Delivery
from kai_tui.backends.http import Timeouts
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.secret import Secret
from kai_tui.services.account import Account
from kai_tui.services.approval_service import Decision
from kai_tui.services.changes import Notice
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import AccountFiles
from kai_tui.ui.transcript.document import Document
from kai_tui.ui.transcript.items import Surroundings
from kai_tui.ui.transcript.renderers.activity import activity_text
from kai_tui.ui.transcript.styles import plain_palette
from tests.backends.fault_server import (
    CHAT_POST,
    END,
    FAULTS,
    NO_SUCH_HOST,
    START,
    TEXT,
    Fault,
    FaultServer,
    black_hole,
    closed_port,
    event,
)
from tests.backends.kai_server import Exchange, Handler, Hangup, answer, hang_up, never, stream, stream_then
from tests.services.scripted_backend import until
from tests.ui.transcript.chat_source import lines_of

Flavour: TypeAlias = Literal["agent", "assistant"]
FLAVOURS: tuple[Flavour, ...] = ("agent", "assistant")
Back: TypeAlias = Literal["nothing", "question", "answer", "away"]
"""What the chat holds when it is read back: not there, the message alone, with an answer, unreadable."""

CANARY = "1234-567890-canaryCanaryCanaryCanary"
PROJECT = Account("p", "kai", "Project", "https://kai.test", "https://connection.test", token_from="memory")
AT_ONCE = Timeouts(pauses=(0.0, 0.0))
SHORT = Timeouts(connect=0.2, read=0.2, stream=0.2, pauses=(0.0, 0.0))
TOOLS = {
    "tools": [{"name": "create_bucket", "isReadOnly": False}, {"name": "query_data", "isReadOnly": True}]
}


class Stopped:
    """Monotonic seconds that pass only when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class House:
    """One user at a server that breaks."""

    server: FaultServer
    flavour: Flavour
    folder: Path
    clock: Stopped = field(default_factory=Stopped)
    opened: list[Workspace] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    back: Back = "nothing"

    def enter(
        self, url: str | None = None, *, timeouts: Timeouts = AT_ONCE, silence: float = 600.0
    ) -> ChatSession:
        """Start the program and a new chat; its chat can be read back as `back` says."""

        async def open_backend() -> KaiBackend:
            return KaiBackend(
                url or self.server.url,
                storage_url="https://connection.test",
                token=Secret(CANARY),
                service=self.flavour,
                timeouts=timeouts,
                silence=silence,
            )

        files = AccountFiles(self.folder / "state.sqlite", self.folder / "cache.sqlite")
        self.keeper = DiskKeeper(files)
        workspace = Workspace(PROJECT, open_backend, self.keeper, clock=self.clock)
        self.opened.append(workspace)
        self.server.on("GET /api/settings/tools", answer(200, TOOLS))
        session = workspace.chats.new_chat()
        session.set_watched(True)
        self.hear(session)
        self.server.on(f"GET /api/chat/{session.chat_id}", self._read_back)
        return session

    def hear(self, session: ChatSession) -> None:
        session.observe(
            lambda change: self.said.append(change.sentence) if isinstance(change, Notice) else None
        )

    async def reopen(self, session: ChatSession) -> ChatSession:
        """Quit, start again, open the same chat."""
        await self.opened[-1].aclose()
        self.enter()
        found = await self.opened[-1].chats.open_chat(session.chat_id)
        self.hear(found)
        return found

    async def _read_back(self, exchange: Exchange) -> None:
        posts = self.server.calls(CHAT_POST)
        if self.back == "away":
            raise Hangup
        if self.back == "nothing" or not posts:
            await answer(404, {"code": "not_found:chat", "message": "Not found"})(exchange)
            return
        messages = [posts[0].body["message"]]
        if self.back == "answer":
            parts = [{"type": "text", "text": "Two words, and more. And the rest."}]
            messages.append({"id": "m1", "role": "assistant", "parts": parts})
        await answer(200, {"id": exchange.seen.path.rpartition("/")[2], "title": "T", "messages": messages})(
            exchange
        )

    async def outbox(self, session: ChatSession) -> list[str]:
        """States of the messages that wait on disk, after all that is on its way there."""
        await until(lambda: not session._background)
        rows = await self.keeper._outbox(session.chat_id)
        return [row.state for row in rows]

    def pass_time(self, session: ChatSession, seconds: float) -> None:
        self.clock.now += seconds
        session.beat()


@pytest.fixture(params=FLAVOURS)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with FaultServer() as server:
        made = House(server, request.param, tmp_path)
        yield made
        for workspace in made.opened:
            await workspace.aclose()
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()]
    assert left == []


def screen(session: ChatSession, clock: Callable[[], float]) -> str:
    """The conversation as the transcript shows it, as running text."""
    around = Surroundings(session, clock)
    document = Document(around, plain_palette())
    document.set_width(400)
    document.load(session.messages)
    lines = [*lines_of(document), activity_text(around, "Kai") or ""]
    return "\n".join(line.replace("▌", " ").strip() for line in lines if line.strip())


async def over(session: ChatSession) -> None:
    await until(lambda: session.turn.phase == "finished")


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
        session = house.enter(url, timeouts=SHORT)
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


# Replies that break off, and odd ones that do not


BROKEN = [fault for fault in FAULTS if fault.finish == "lost" and fault.name != "giant-reply"]
WHOLE = [fault for fault in FAULTS if fault.finish in ("stop", "length")]


@pytest.mark.parametrize("fault", BROKEN, ids=lambda fault: fault.name)
@pytest.mark.parametrize("back", ["question", "answer"])
async def test_a_reply_without_its_end_is_cut_off_now_read_back_and_after_a_restart(
    house: House, fault: Fault, back: Back
) -> None:
    house.server.break_chat(fault.name)
    house.back = back
    short = fault.needs_short_clocks
    session = house.enter(silence=0.2 if short else 600.0)
    session.send("Hello there")
    await over(session)
    await until(lambda: not session._background)
    reply = session.messages[-1]
    assert reply.finish is not None
    assert reply.finish.reason == "lost"
    shown = screen(session, house.clock)
    assert "✗ cut off: " in shown
    assert "What came is kept. · F5 looks again" in shown
    assert any(house.server.sentence(piece) in shown for piece in fault.says)
    if back == "answer" and len(fault.text) < 40:
        assert "And the rest." in shown
        assert "The server had more of it, which is shown." in shown
    else:
        assert "Two words, and more." in shown
    assert session.delivery(session.messages[0].id) == "sent"
    assert await house.outbox(session) == []
    assert house.server.posts == 1
    house.back = "away"
    again = await house.reopen(session)
    assert "✗ cut off" in screen(again, house.clock)
    assert "Two words, and more." in screen(again, house.clock)
    assert house.server.posts == 1


@pytest.mark.slow
async def test_a_giant_reply_is_cut_off(house: House) -> None:
    house.server.break_chat("giant-reply")
    session = house.enter()
    session.send("Hello there")
    await until(lambda: session.turn.phase == "finished", 120)
    finish = session.messages[-1].finish
    assert finish is not None
    assert finish.reason == "lost"
    assert finish.detail == "The reply was too large (over 32 MiB); its rest was left out."
    assert house.server.posts == 1


@pytest.mark.parametrize("fault", WHOLE, ids=lambda fault: fault.name)
async def test_an_odd_stream_that_ends_is_an_answer(house: House, fault: Fault) -> None:
    house.server.break_chat(fault.name)
    session = house.enter()
    session.send("Hello there")
    await over(session)
    assert session.turn.reason == fault.finish
    shown = screen(session, house.clock)
    assert "Two words, and more." in shown
    assert ("greatest length" in shown) == (fault.finish == "length")
    assert house.said == []
    assert await house.outbox(session) == []
    assert house.server.posts == 1


async def test_an_error_in_the_stream_keeps_what_came(house: House) -> None:
    house.server.break_chat("error-event")
    session = house.enter()
    session.send("Hello there")
    await over(session)
    shown = screen(session, house.clock)
    assert "Two words, and more." in shown
    assert "✗ The model is overloaded" in shown
    assert session.turn.reason == "error"
    assert house.server.posts == 1


async def test_half_of_a_tool_call_is_shown_as_interrupted(house: House) -> None:
    call = event(type="tool-input-start", toolCallId="c1", toolName="query_data")
    part = event(type="tool-input-delta", toolCallId="c1", inputTextDelta='{"sql_que')
    words = event(type="text-delta", id="0", delta=" Meanwhile.")
    house.server.on(CHAT_POST, stream_then(TEXT + call + words + part, "cut"))
    session = house.enter()
    session.send("Hello there")
    await over(session)
    shown = screen(session, house.clock)
    assert "interrupted" in shown
    assert "running" not in shown
    assert "preparing" not in shown


# A question that waits when the connection goes


def asking(flavour: Flavour) -> bytes:
    """A stream that asks for a yes and then breaks off."""
    call: dict[str, Any] = {"toolCallId": "w1", "toolName": "create_bucket"}
    asked = START + event(type="tool-input-available", **call, input={"name": "reports"})
    if flavour == "assistant":
        asked += event(type="tool-approval-request", toolCallId="w1", approvalId="a1")
    return asked


@pytest.mark.parametrize("server_shows", ["waiting", "changed", "settled"])
async def test_a_question_whose_stream_is_lost_is_asked_again_only_when_it_still_waits(
    house: House, server_shows: str
) -> None:
    broken = asyncio.Event()

    async def asks(exchange: Exchange) -> None:
        await exchange.start({"content-type": "text/event-stream"})
        await exchange.write(asking(house.flavour))
        await broken.wait()
        raise Hangup

    house.server.on(CHAT_POST, asks)
    session = house.enter()
    session.send("Create a bucket called reports")
    await until(lambda: len(session.messages) == 2)
    approvals = house.opened[-1].approvals
    if house.flavour == "agent":
        await until(lambda: approvals.pending)
    posted = house.server.calls(CHAT_POST)[0].body["message"]
    part: dict[str, Any] = {
        "type": "tool-create_bucket",
        "toolCallId": "w1",
        "state": "approval-requested" if house.flavour == "assistant" else "input-available",
        "input": {"name": "reports" if server_shows == "waiting" else "other"},
    }
    if house.flavour == "assistant":
        part["approval"] = {"id": "a1"}
    if server_shows == "settled":
        part |= {"state": "output-available", "output": {"ok": True}, "input": {"name": "reports"}}
    chat = {"id": session.chat_id, "messages": [posted, {"id": "m1", "role": "assistant", "parts": [part]}]}
    house.server.on(f"GET /api/chat/{session.chat_id}", answer(200, chat))
    shown = approvals.pending[0] if approvals.pending else None
    broken.set()
    await until(lambda: any("Checking whether the question still waits" in said for said in house.said))
    await until(lambda: not session._lookups)
    if shown is not None and server_shows != "waiting":
        assert not approvals.decide(shown, Decision(True))
    if server_shows == "waiting":
        assert [each.input for each in approvals.pending] == [{"name": "reports"}]
    elif server_shows == "changed" and house.flavour == "assistant":
        assert [each.input for each in approvals.pending] == [{"name": "other"}]  # as it is now
    else:
        assert list(approvals.pending) == []
    assert house.server.posts == 1
    assert house.server.calls(f"POST /api/chat/{session.chat_id}/approval") == []


# Restarts, sleep, the user


async def test_a_server_that_comes_back_gets_only_what_the_user_sends(house: House) -> None:
    house.server.on(CHAT_POST, hang_up)
    house.back = "away"
    session = house.enter()
    session.send("Hello there")
    await over(session)
    again = await house.reopen(session)
    assert "unsure whether it arrived" in screen(again, house.clock)
    assert house.server.posts == 1
    house.back = "nothing"
    house.server.mend_chat()
    again.retry(again.messages[0].id)
    await until(lambda: again.delivery(again.messages[0].id) == "not-sent")
    assert house.server.posts == 1
    again.retry(again.messages[0].id)
    await until(lambda: again.turn.reason == "stop")
    assert house.server.posts == 2
    ids = {seen.body["message"]["id"] for seen in house.server.calls(CHAT_POST)}
    assert len(ids) == 1


async def test_after_a_sleep_a_silent_stream_is_cut_off_and_read_back(house: House) -> None:
    house.server.on(CHAT_POST, stream_then(TEXT, "hold"))
    house.back = "answer"
    session = house.enter()
    session.send("Hello there")
    await until(lambda: len(session.messages) == 2 and session.messages[1].text)
    await house.opened[-1].woke()
    house.pass_time(session, 11)
    await over(session)
    await until(lambda: "And the rest." in screen(session, house.clock))
    assert "Connection lost after 4 words: the computer was asleep." in screen(session, house.clock)
    assert house.server.posts == 1


async def test_escape_stops_at_once_and_hangs_up(house: House) -> None:
    house.server.on(CHAT_POST, stream_then(TEXT, "hold"))
    session = house.enter()
    session.send("Hello there")
    await until(lambda: len(session.messages) == 2 and session.messages[1].text)
    before = asyncio.get_running_loop().time()
    session.stop()
    assert session.turn.phase == "finished"
    await asyncio.wait_for(house.server.hung_up.wait(), 5)
    assert asyncio.get_running_loop().time() - before < 2
    assert "■ stopped. Kai may still be working on the server." in screen(session, house.clock)
    assert house.server.posts == 1


async def test_a_quota_that_is_used_up_is_named(house: House) -> None:
    said = {"error": {"type": "rate_limit", "surface": "chat", "message": "You have no messages left"}}
    house.server.on(CHAT_POST, answer(429, said))
    usage = {"messagesUsed": 150, "messagesLimit": 150, "resetDate": "2026-12-01T00:00:00.000Z"}
    house.server.on("GET /api/usage", answer(200, usage))
    session = house.enter()
    session.send("Hello there")
    await over(session)
    assert session.turn.countdown is None
    wanted = "150 of 150 messages" if house.flavour == "agent" else "You have no messages left."
    await until(lambda: wanted in screen(session, house.clock))
    house.pass_time(session, 700)
    assert house.server.posts == 1


# A token that runs out


Asks: TypeAlias = Callable[[Workspace, ChatSession], Awaitable[object]]


async def _list(workspace: Workspace, _: ChatSession) -> None:
    await workspace.history.refresh()


async def _look(_: Workspace, session: ChatSession) -> None:
    await session._look()


async def _connect(workspace: Workspace, _: ChatSession) -> None:
    workspace.connect()
    await until(lambda: workspace.connection.state != "connecting")


@pytest.mark.parametrize("ask", [_list, _look, _connect], ids=["list", "chat", "connect"])
async def test_a_401_on_anything_is_told_and_a_new_token_takes_over(house: House, ask: Asks) -> None:
    refusal = answer(401, {"code": "unauthorized:chat", "message": "no"})
    session = house.enter()
    workspace = house.opened[-1]
    refused: list[str] = []
    workspace.observe_refusals(lambda error: refused.append(error.sentence))
    for call in (
        "GET /api/history",
        f"GET /api/chat/{session.chat_id}",
        "GET /api",
        "GET /api/settings/tools",
    ):
        house.server.on(call, refusal)
    await ask(workspace, session)
    assert refused
    assert "Token refused by 127.0.0.1" in refused[0]
    assert workspace.refused
    house.server.on("GET /api/settings/tools", answer(200, TOOLS))
    house.server.mend_chat()
    workspace.renew(PROJECT, Secret("1234-567890-another"))
    assert not workspace.refused
    session.send("Hello there")
    await over(session)
    assert house.server.calls(CHAT_POST)[0].headers["x-storageapi-token"] == "1234-567890-another"
    assert workspace.chats.sessions[session.chat_id] is session


async def test_a_stream_goes_on_with_the_token_it_began_with(house: House) -> None:
    more = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await exchange.start({"content-type": "text/event-stream"})
        await exchange.write(TEXT)
        await more.wait()
        await exchange.write(END)

    handlers: list[Handler] = [slow]
    house.server.on(CHAT_POST, *handlers)
    session = house.enter()
    session.send("Hello there")
    await until(lambda: len(session.messages) == 2 and session.messages[1].text)
    house.opened[-1].renew(PROJECT, Secret("1234-567890-another"))
    more.set()
    await over(session)
    assert session.turn.reason == "stop"
    assert house.server.posts == 1

"""Restarts, sleep, stopping, and a token that runs out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from kai_tui.backends.secret import Secret
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.workspace import Workspace
from tests.backends.fault_server import (
    CHAT_POST,
    END,
    TEXT,
)
from tests.backends.kai_server import Exchange, Handler, answer, hang_up, stream_then
from tests.services.fault_house import PROJECT, TOOLS, House, over, screen
from tests.services.fault_house import house as house
from tests.services.scripted_backend import until

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

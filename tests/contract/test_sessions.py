"""Whole chats over the services and real files: what is on the screen is on disk, and one word is sent once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kai_tui.services.account import Account
from kai_tui.services.changes import Notice
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import AccountFiles
from tests.backends.fault_server import BY_NAME
from tests.backends.kai_server import TIMEOUT, Exchange, Gate
from tests.contract.stand import Stand
from tests.services.accounts_kit import files_with
from tests.services.scripted_backend import until

QUESTION = "What tables do I have?"


@dataclass
class House:
    """One user's program, started several times on the same files."""

    stand: Stand
    folder: Path
    open: list[Workspace] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def enter(self) -> Workspace:
        """Start the program."""
        keeper = DiskKeeper(
            AccountFiles(lambda: (self.folder / "state.sqlite", self.folder / "cache.sqlite"))
        )
        self.stand.chats = keeper.local_chats

        async def open_backend():  # type: ignore[no-untyped-def]
            return self.stand.backend()

        account = Account("contract", self.stand.kind, "Contract", token_from="memory")
        workspace = Workspace(account, open_backend, keeper)
        self.open.append(workspace)
        workspace.connect()
        await until(lambda: workspace.connection.state == "connected", TIMEOUT)
        return workspace

    async def leave(self) -> None:
        """Quit."""
        await self.open.pop().aclose()

    async def new_chat(self) -> ChatSession:
        workspace = self.open[-1] if self.open else await self.enter()
        session = workspace.chats.new_chat()
        session.observe(lambda what: self.said.append(what.sentence) if isinstance(what, Notice) else None)
        return session

    async def again(self, session: ChatSession) -> ChatSession:
        """Quit, start, open the same chat."""
        await self.leave()
        workspace = await self.enter()
        return await workspace.chats.open_chat(session.chat_id)

    def check(self) -> None:
        """Nothing secret was said or kept."""
        for secret in self.stand.secrets():
            assert secret not in "".join(self.said)
            assert files_with(self.folder, secret) == []


@pytest.fixture
async def house(stand: Stand, tmp_path: Path) -> AsyncIterator[House]:
    made = House(stand, tmp_path)
    yield made
    while made.open:
        await made.leave()
    made.check()


def shown(session: ChatSession) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in session.messages]


def reasons(session: ChatSession) -> list[str | None]:
    return [
        each.finish.reason if each.finish else None for each in session.messages if each.role == "assistant"
    ]


async def over(session: ChatSession) -> None:
    await until(lambda: session.turn.phase == "finished", TIMEOUT)


@pytest.mark.some(3)
async def test_a_chat_goes_on_is_listed_and_is_the_same_after_a_restart(house: House):
    session = await house.new_chat()
    for text in (QUESTION, "Příliš 😀 žluťoučký"):
        session.send(text)
        await over(session)
        assert session.turn.reason in ("stop", "unknown")
    before = shown(session)
    assert [role for role, _ in before] == ["user", "assistant"] * 2
    assert all(text for _, text in before)
    assert all(session.delivery(each.id) == "sent" for each in session.messages if each.role == "user")
    again = await house.again(session)
    assert shown(again) == before
    await house.open[-1].history.refresh()
    assert [row.id for row in house.open[-1].history.rows] == [session.chat_id]
    again.send("And one more")
    await over(again)
    assert shown(again)[:-2] == before
    assert len(house.stand.posts) == 3


@pytest.mark.some(3)
async def test_what_a_stop_leaves_stays_and_the_chat_goes_on(house: House):
    session = await house.new_chat()
    held = house.stand.half_an_answer("hold")
    session.send(QUESTION)
    await asyncio.wait_for(held.reached.wait(), TIMEOUT)
    if house.stand.row.text == "tokens":
        await until(lambda: len(session.messages) == 2 and session.messages[-1].text, TIMEOUT)
    heard = session.messages[-1].text if len(session.messages) == 2 else ""
    before = asyncio.get_running_loop().time()
    session.stop()
    assert asyncio.get_running_loop().time() - before < 0.25
    assert session.turn.phase == "finished"
    assert session.turn.reason == "cancelled"
    await asyncio.wait_for(held.left.wait(), TIMEOUT)
    assert shown(session)[0] == ("user", QUESTION)
    assert any(text.startswith(heard) for role, text in shown(session) if role == "assistant") or not heard
    house.stand.mend()
    assert len(house.stand.posts) == 1
    session.send("Go on")
    await until(lambda: len(house.stand.posts) == 2, TIMEOUT)
    await over(session)
    assert session.turn.reason in ("stop", "unknown")
    assert house.stand.arrived == [QUESTION, "Go on"]


@pytest.mark.some(2)
async def test_an_answer_that_is_lost_is_told_and_never_asked_again(house: House):
    stand = house.stand
    session = await house.new_chat()
    stand.half_an_answer("cut")
    session.send(QUESTION)
    await over(session)
    await until(lambda: not session._lookups, TIMEOUT)
    assert len(stand.posts) == 1
    if stand.row.loss == "heals":
        assert session.turn.reason == "stop"
    elif stand.row.loss == "keeps" and stand.row.text == "tokens":
        assert session.turn.reason == "lost"
        assert session.delivery(session.messages[0].id) == "sent"
        if not stand.is_kai:
            assert any(text.startswith("One two ") for _, text in shown(session))
    elif stand.row.loss == "raises":
        state = session.delivery(session.messages[0].id)
        assert state == ("not-sent" if stand.row.repeatable else "unsure")
    before = shown(session)
    again = await house.again(session)
    assert shown(again) == before
    if again.messages[-1].role == "assistant" and stand.row.loss != "heals":
        assert again.messages[-1].finish is not None  # a reply that broke off is marked for ever (P8)
    assert len(stand.posts) == 1
    stand.mend()
    if stand.row.loss != "raises":
        again.send("Go on")
        await over(again)
        assert stand.arrived == [QUESTION, "Go on"]


@pytest.mark.some(2)
async def test_a_message_that_was_refused_is_kept_and_sent_by_a_word_of_the_user(house: House):
    stand = house.stand
    session = await house.new_chat()
    stand.fault(BY_NAME["403"].handler)
    session.send(QUESTION)
    await over(session)
    message_id = session.messages[0].id
    assert session.delivery(message_id) == "not-sent"
    assert len(stand.posts) == 1
    again = await house.again(session)
    assert shown(again) == [("user", QUESTION)]
    assert again.delivery(message_id) == "not-sent"
    assert len(stand.posts) == 1
    stand.mend()
    again.retry(message_id)
    await over(again)
    assert again.delivery(message_id) == "sent"
    assert [role for role, _ in shown(again)] == ["user", "assistant"]
    assert stand.arrived == [QUESTION, QUESTION]


@pytest.mark.some(4)
@pytest.mark.parametrize("fault", ["500", "closed-before-answering", "login-page"])
async def test_a_message_nobody_knows_about_is_looked_up_and_never_sent_by_itself(house: House, fault: str):
    stand = house.stand
    session = await house.new_chat()
    stand.fault(BY_NAME[fault].handler)
    session.send(QUESTION)
    await over(session)
    await until(lambda: not session._lookups, TIMEOUT)
    posts = 2 if stand.row.repeatable and fault == "500" else 1
    assert len(stand.posts) == posts
    state = session.delivery(session.messages[0].id)
    here = stand.row.caps.history == "local" and not stand.row.repeatable
    assert state == ("unsure" if here else "not-sent")
    assert any("arrive" in sentence or "again" in sentence for sentence in house.said)
    again = await house.again(session)
    assert shown(again) == [("user", QUESTION)]
    assert again.delivery(again.messages[0].id) == state
    assert len(stand.posts) == posts


@pytest.mark.some(6)
async def test_what_is_written_meanwhile_waits_for_its_turn(house: House):
    stand = house.stand
    session = await house.new_chat()
    gate, begun = Gate(), Gate()

    async def slowly(exchange: Exchange) -> None:
        begun.open()
        await gate.wait()
        await stand.usual(exchange.seen)(exchange)

    stand.fault(slowly, once=True)
    session.send("first")
    await begun.wait()
    session.send("second")
    session.send("third")
    assert [each.text for each in session.queue] == ["second", "third"]
    assert stand.arrived == ["first"]
    gate.open()
    await until(lambda: len(stand.posts) == 3 and session.turn.phase == "finished", TIMEOUT)
    assert stand.arrived == ["first", "second", "third"]
    assert [role for role, _ in shown(session)] == ["user", "assistant"] * 3


@pytest.mark.some(3)
async def test_a_deleted_chat_is_gone_everywhere(house: House):
    session = await house.new_chat()
    session.send("needle-in-the-hay")
    await over(session)
    kept = await house.new_chat()
    kept.send("Stay")
    await over(kept)
    workspace = house.open[-1]
    await workspace.history.refresh()
    await workspace.history.delete(session.chat_id)
    assert [row.id for row in workspace.history.rows] == [kept.chat_id]
    await house.leave()
    assert files_with(house.folder, "needle-in-the-hay") == []
    workspace = await house.enter()
    await workspace.history.refresh()
    assert [row.id for row in workspace.history.rows] == [kept.chat_id]


@pytest.mark.some(6)
async def test_leaving_in_the_middle_keeps_what_was_seen(house: House):
    stand = house.stand
    session = await house.new_chat()
    held = stand.half_an_answer("hold")
    session.send(QUESTION)
    await asyncio.wait_for(held.reached.wait(), TIMEOUT)
    heard = ""
    if stand.row.text == "tokens":
        await until(lambda: len(session.messages) == 2 and session.messages[-1].text, TIMEOUT)
        heard = session.messages[-1].text
    again = await house.again(session)
    assert shown(again)[0] == ("user", QUESTION)
    assert len(stand.posts) == 1
    if heard:
        assert any(role == "assistant" and text.startswith(heard) for role, text in shown(again))
        assert reasons(again) != ["stop"] or stand.is_kai

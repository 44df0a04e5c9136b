"""Voting on the answer one reads, or the newest; what is said and shown."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kai_tui.backends.base import Chat, ChatSummary, NotFound
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.ui.actions import action
from kai_tui.ui.app import KaiApp
from kai_tui.ui.screens.chat import ChatScreen
from tests.services.scripted_backend import ScriptedBackend, Step
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import ready, reply, words


def answering(message_id: str | None, text: str) -> list[Step]:
    return [e.Start(message_id), e.TextStart("t"), e.TextDelta("t", text), e.Finish("stop")]


def said(app: KaiApp) -> str:
    return "\n".join(each.message for each in app._notifications)


async def asked(app: KaiApp, pilot, *questions: str) -> ChatScreen:
    screen = await ready(app, pilot)
    for count, question in enumerate(questions, 1):
        await pilot.press(*question, "enter")
        await until(
            pilot,
            lambda count=count: (
                screen.session is not None
                and len(screen.session.messages) == 2 * count
                and not screen.session.turn.busy
            ),
        )
    return screen


@pytest.mark.parametrize(
    ("size", "theme"), [((80, 24), "toggle"), pytest.param((140, 45), "", marks=pytest.mark.slow)]
)
async def test_the_answer_under_the_reading_cursor_is_voted_on_and_marked(
    own_home: Path, size: tuple[int, int], theme: str
) -> None:
    backend = ScriptedBackend(replies=[answering("one", "First."), answering("two", "Second.")])
    app = app_for(own_home, backend)
    async with app.run_test(size=size) as pilot:
        if theme:
            app.action_toggle_theme()
        await asked(app, pilot, "a", "b")
        await pilot.press("ctrl+o", "minus")
        await until(pilot, lambda: backend.voted == [("two", False)])
        await until(pilot, lambda: "Kai ▼ Second." in words(app))
        await pilot.press("up", "up", "plus")
        await until(pilot, lambda: backend.voted[-1] == ("one", True))
        await until(pilot, lambda: "Kai ▲ First." in words(app))
        assert "Kai ▼ Second." in words(app)
        # On a message of the user's: the newest answer.
        await pilot.press("up", "plus")
        await until(pilot, lambda: backend.voted[-1] == ("two", True))
        await until(pilot, lambda: "Kai ▲ Second." in words(app))
        assert "The newest answer: ▲ helpful. - changes it to ▼ not helpful." in said(app)


async def test_the_same_vote_again_says_that_it_stands(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[answering("one", "First.")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await asked(app, pilot, "a")
        await pilot.press("ctrl+o", "plus", "plus")
        await until(pilot, lambda: "A vote cannot be taken back" in said(app))
        assert len(backend.voted) == 1


async def test_a_refused_vote_disappears_with_a_sentence(own_home: Path) -> None:
    gate = asyncio.Event()

    class Refusing(ScriptedBackend):
        async def vote(self, chat_id: str, message_id: str, up: bool) -> None:
            await gate.wait()
            raise NotFound("The server does not know this answer.")

    app = app_for(own_home, Refusing(replies=[answering("one", "First.")]))
    async with app.run_test(size=(80, 24)) as pilot:
        await asked(app, pilot, "a")
        await pilot.press("ctrl+o", "plus")
        await until(pilot, lambda: "Kai ▲ First." in words(app))
        gate.set()
        await until(pilot, lambda: "Kai   First." in words(app))
        assert (
            "The vote was not taken. The server does not know this answer. The mark is gone again."
            in said(app)
        )


async def test_votes_of_the_server_are_shown(own_home: Path) -> None:
    summary = ChatSummary("chat-0", "Orders", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z")
    parts = [{"type": "text", "text": "West."}]
    messages = [
        Message.user("u", "Which?"),
        Message.from_wire({"id": "old", "role": "assistant", "parts": parts}),
    ]
    backend = ScriptedBackend(stored={"chat-0": Chat(summary, messages)}, votes_there={"old": False})
    app = app_for(own_home, backend)
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await ready(app, pilot)
        await until(pilot, lambda: "Orders" in words(app))
        await screen._open("chat-0")
        await until(pilot, lambda: "Kai ▼ West." in words(app))


@pytest.mark.parametrize(
    ("replies", "why"),
    [
        pytest.param([answering(None, "First.")], "under which id", marks=pytest.mark.slow),
        ([[e.Start(), e.Finish("lost")]], "cut off before it began"),
        pytest.param([reply("Half", asyncio.Event())], "still being written", marks=pytest.mark.slow),
        ([], "no answer yet"),
    ],
)
async def test_what_cannot_be_voted_on_says_why(own_home: Path, replies: list[list[Step]], why: str) -> None:
    backend = ScriptedBackend(replies=replies)
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        if replies:
            await pilot.press("a", "enter")
            await until(pilot, lambda: screen.session is not None and len(screen.session.messages) == 2)
            if why != "still being written":
                await until(pilot, lambda: screen.session is not None and not screen.session.turn.busy)
        screen.action_vote_up()
        await until(pilot, lambda: why in said(app))
        assert backend.voted == []


async def test_where_the_server_takes_no_votes_none_are_offered(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[answering("one", "x")], offers={"votes": False}))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await asked(app, pilot, "a")
        assert screen.denies(action("vote_up").name), "the palette does not offer it"
        await pilot.press("ctrl+o", "plus")
        await until(pilot, lambda: "takes no votes" in said(app))
        assert "▲" not in words(app)

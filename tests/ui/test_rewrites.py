"""Asking again, editing the last message, forking: the keys, the dialogs, and how many messages go."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.backends.base import CannotConnect, Chat, ChatSummary, Refused
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.conversation.quoting import split_quote
from kai_tui.services.chat_session import ChatSession
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.confirm import Confirm
from kai_tui.ui.screens.chat import ChatScreen
from tests.services.scripted_backend import ScriptedBackend, Step
from tests.ui.fakes import app_for, stored, until
from tests.ui.test_chat_screen import composer, ready, words

WROTE: list[Step] = [
    e.ToolInputAvailable("w1", "create_bucket", {"name": "x"}, {}),
    e.ToolOutputAvailable("w1", {"ok": True}, {}),
]


def reply(name: str, *steps: Step, reason: e.FinishReason = "stop") -> list[Step]:
    return [e.Start(name), *steps, e.TextStart("t"), e.TextDelta("t", f"answer {name}"), e.Finish(reason)]


def posts(backend: ScriptedBackend) -> list[str]:
    return [each.text for each in backend.posts]


def screen_of(app: KaiApp) -> ChatScreen:
    screen = app.screen
    assert isinstance(screen, ChatScreen)
    return screen


def flat(app: KaiApp) -> str:
    """What is on screen, without its frames and wrapping."""
    return " ".join(words(app).replace("│", " ").split())


async def answered(app: KaiApp, pilot, text: str = "q") -> ChatSession:
    """One question that was answered, well or not."""
    screen = await ready(app, pilot)
    await pilot.press(*text, "enter")
    session = screen.session
    assert session is not None
    await until(pilot, lambda: session.turn.phase == "finished")
    return session


def keep(backend: ScriptedBackend, session: ChatSession) -> None:
    """The server has what the session shows."""
    messages = [Message.from_wire(each.to_wire()) for each in session.messages]
    backend.stored[session.chat_id] = Chat(ChatSummary(session.chat_id, "Orders"), messages)


async def test_a_failed_answer_is_asked_again_with_one_key(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("a", reason="error"), reply("b")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await answered(app, pilot)
        await until(pilot, lambda: "Ctrl+S asks again" in words(app))
        await pilot.press("ctrl+s", "ctrl+s")
        await until(pilot, lambda: "answer b" in words(app) and not session.turn.busy)
        assert posts(backend) == ["q", "q"]
        assert words(app).count("superseded") == 2
        assert "asks again" not in words(app)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert len(backend.posts) == 2


async def test_tools_that_write_are_confirmed_and_cancel_has_the_focus(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("a", *WROTE), reply("b")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        await pilot.press("q", "enter")
        session = screen.session
        assert session is not None
        await until(pilot, lambda: session.turn.phase == "finished")
        await pilot.press("ctrl+o", "g")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.focused)
        assert "had already run create_bucket" in words(app)
        assert "may run it twice" in flat(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert len(backend.posts) == 1
        await pilot.press("g")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.focused)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: len(backend.posts) == 2 and not session.turn.busy)
        assert posts(backend) == ["q", "q"]


async def test_after_a_loss_the_server_is_asked_first(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("a", reason="lost"), reply("b")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        session = await answered(app, pilot)
        backend.chat_error = CannotConnect("kai.test was not reached.")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Nothing was sent" in words(app))
        backend.chat_error = None
        keep(backend, session)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.focused)
        assert "may still be at work on it" in flat(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        whole = Message.from_wire(
            {
                "id": "a",
                "role": "assistant",
                "parts": [{"type": "text", "text": "answer a and all the rest of it"}],
            }
        )
        messages = [backend.stored[session.chat_id].messages[0], whole]
        backend.stored[session.chat_id] = Chat(ChatSummary(session.chat_id, "t"), messages)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "all the rest of it" in words(app))
        assert len(backend.posts) == 1


async def test_the_last_message_is_edited_in_the_prompt_and_the_draft_comes_back(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("a"), reply("b")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await answered(app, pilot)
        await pilot.press(*"draft", "ctrl+o", "e")
        await until(pilot, lambda: composer(app).text == "q" and app.focused is composer(app))
        assert "Editing your last message" in words(app)
        assert "still sees them" in words(app)
        await pilot.press("escape")
        await until(pilot, lambda: composer(app).text == "draft")
        assert "Editing" not in words(app)
        await pilot.press("ctrl+o", "e")
        await until(pilot, lambda: composer(app).text == "q")
        await pilot.press("2", "enter", "enter")
        await until(pilot, lambda: len(backend.posts) >= 2 and not session.turn.busy)
        assert posts(backend)[:2] == ["q", "q2"]
        assert session.is_superseded(backend.posts[0].message_id)


async def test_editing_says_what_ran_already(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply("a", *WROTE)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await answered(app, pilot)
        await pilot.press("ctrl+o", "e")
        await until(pilot, lambda: "create_bucket ran already." in words(app))


async def test_letters_act_only_while_reading(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("a")], stored=stored("One", "Two"))
    app = app_for(own_home, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        await answered(app, pilot)
        await pilot.press(*"gefdr")
        assert composer(app).text == "gefdr"
        await pilot.press("ctrl+b", "g", "e", "f")
        await pilot.pause()
        assert composer(app).text == "gefdr"
        assert len(backend.posts) == 1
        assert len(screen_of(app).workspace.chats.sessions) == 1


async def forked(app: KaiApp, pilot) -> ChatSession:
    session = await answered(app, pilot)
    await pilot.press("ctrl+o", "f")
    await until(pilot, lambda: screen_of(app).session is not session)
    found = screen_of(app).session
    assert found is not None
    await until(pilot, lambda: "quoted from an earlier chat" in words(app))
    return found


async def test_a_fork_shows_its_quote_and_sends_exactly_that(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("a"), reply("b")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await forked(app, pilot)
        shown = words(app)
        assert "Fork of q" in shown.split("\n")[0]
        assert "The server does not know the old chat" in shown
        assert f"{len(session.quote):,}" in shown
        for line in session.quote.split("\n"):
            assert line[:60] in shown
        quote = session.quote
        assert len(backend.posts) == 1
        await pilot.press(*"go", "enter")
        await until(pilot, lambda: "answer b" in words(app))
        assert posts(backend) == ["q", f"{quote}\n\ngo"]
        assert backend.posts[1].message_id != backend.posts[0].message_id
        assert "The server does not know" not in words(app)
        assert "▸ quoted from an earlier chat" in words(app)
        assert "> answer a" not in words(app)


async def test_a_fork_up_to_the_message_under_the_cursor(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply("a")]))
    async with app.run_test(size=(80, 24)) as pilot:
        session = await answered(app, pilot)
        await pilot.press("ctrl+o", "home", "f")
        await until(pilot, lambda: screen_of(app).session is not session)
        found = screen_of(app).session
        assert found is not None
        assert "> q" in found.quote
        assert "answer a" not in found.quote


async def test_the_quote_of_a_fork_can_be_dropped(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("a"), reply("b")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await forked(app, pilot)
        await pilot.press("ctrl+o", "d")
        await until(pilot, lambda: "quoted from" not in words(app))
        screen_of(app).set_focus(composer(app))
        await pilot.press(*"go", "enter")
        await until(pilot, lambda: posts(backend) == ["q", "go"])


async def test_a_fork_that_was_refused_can_be_sent_without_its_quote(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("a"), [Refused("The message is too long.")], reply("b")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await forked(app, pilot)
        await pilot.press(*"go", "enter")
        await until(pilot, lambda: session.delivery(session.messages[0].id) == "not-sent")
        await pilot.press("ctrl+o", "d")
        await until(pilot, lambda: len(backend.posts) == 3 and not session.turn.busy)
        assert posts(backend)[2] == "go"
        assert [each.text for each in session.messages] == ["go", "answer b"]


async def test_one_edit_at_a_time(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply("a")]))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await answered(app, pilot)
        await pilot.press("ctrl+o", "e")
        await until(pilot, lambda: composer(app).text == "q")
        await pilot.press(*"new", "ctrl+o", "e")
        await until(pilot, lambda: "Finish editing first" in words(app))
        assert composer(app).text == "qnew"


async def test_a_fork_that_was_being_written_is_there_after_a_restart(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("a")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await forked(app, pilot)
        quote, chat_id = session.quote, session.chat_id
        await pilot.press(*"half a th")
        await pilot.pause()
    second = ScriptedBackend(replies=[reply("b")])
    again = app_for(own_home, second)
    async with again.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(again.screen, ChatScreen))
        await until(pilot, lambda: "quoted from an earlier chat" in words(again))
        assert composer(again).text == "half a th"
        found = screen_of(again).session
        assert found is not None
        assert (found.chat_id, found.quote) == (chat_id, quote)
        assert "Fork of q" in words(again).split("\n")[0]
        await pilot.press("enter")
        await until(pilot, lambda: second.posts)
        assert split_quote(posts(second)[0]) == (quote, "half a th")


@pytest.mark.parametrize("old_way", [True, pytest.param(False, marks=pytest.mark.slow)])
async def test_a_call_left_open_is_answered_only_through_the_palette_and_a_question(
    own_home: Path, old_way: bool
) -> None:
    open_call: list[Step] = [
        e.Start("a"),
        e.ToolInputAvailable("w1", "create_bucket", {"name": "x"}, {}),
        e.Finish("stop"),
    ]
    backend = ScriptedBackend(
        style="continuation", replies=[open_call, reply("b")], offers={"tool_results": old_way}
    )
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await ready(app, pilot)
        assert not screen.check_action("answer_left_open", ())
        session = await answered(app, pilot)
        assert bool(screen.check_action("answer_left_open", ())) is old_way
        app.clear_notifications()  # what is told about it lies over the card
        await until(pilot, lambda: "left open" in words(app))
        screen.action_answer_left_open()
        if not old_way:
            await until(pilot, lambda: "Kai cannot be answered" in words(app))
            assert session.pending_calls() == []
            return
        await until(pilot, lambda: isinstance(app.screen, ApprovalDialog))
        assert backend.tool_results == []

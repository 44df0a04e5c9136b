"""Several chats at once on the screen: marks, what other chats say, the way to them, leaving them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events

from kai_tui.backends.base import Chat, NotFound, ServerFailed, TokenRefused
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.confirm import Confirm
from kai_tui.ui.modals.inbox import InboxDialog
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.transcript.view import Transcript
from kai_tui.ui.widgets.chat_list import ChatList
from tests.services.scripted_backend import ScriptedBackend, Step
from tests.services.test_attention import question, reply
from tests.ui.fakes import Clock, app_for, kai_account, stored, until
from tests.ui.many_chats import WIDE, ask, go, put_off, row_of, toasts, until_kept
from tests.ui.test_chat_screen import composer, ready, words


async def test_escape_drafts_and_queues_belong_to_the_chat_on_screen(own_home: Path) -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    backend = ScriptedBackend(
        stored=stored("From history"), replies=[reply("a", gates[0]), reply("b", gates[1]), reply("c")]
    )
    app = app_for(own_home, backend)
    async with app.run_test(size=WIDE) as pilot:
        await ready(app, pilot)
        first = await ask(app, pilot, "first")
        await pilot.press(*"queued in first", "enter", *"draft of first")
        second = await ask(app, pilot, "second")
        await pilot.press(*"draft of second")
        await go(app, pilot, "chat-0")
        await pilot.press("escape")
        assert [first.turn.busy, second.turn.busy, backend.hung_up] == [True, True, 0]

        await go(app, pilot, second.chat_id)
        assert composer(app).text == "draft of second"
        await pilot.press("escape")
        await until(pilot, lambda: second.turn.reason == "cancelled")
        assert first.turn.busy
        assert not second.queue

        await go(app, pilot, first.chat_id)
        assert composer(app).text == "draft of first"
        assert "queued in first" in words(app)
        gates[0].set()
        await until(
            pilot, lambda: [each.text for each in backend.posts] == ["first", "second", "queued in first"]
        )
        await until(pilot, lambda: "from c" in words(app))
        assert "from a" in words(app)


async def test_the_list_marks_what_each_chat_wants_and_keeps_the_marks(own_home: Path) -> None:
    gates = [asyncio.Event() for _ in range(2)]
    backend = ScriptedBackend(
        stored=stored("Older chat"),
        replies=[reply("a", gates[0]), [ServerFailed("It broke.", code="x")], reply("c", gates[1])],
    )
    app = app_for(own_home, backend)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ready(app, pilot)
        await ask(app, pilot, "alpha")
        failing = await ask(app, pilot, "beta")
        await until(pilot, lambda: failing.turn.reason == "error")
        await ask(app, pilot, "gamma")
        await until(pilot, lambda: "●" in row_of(app, "alpha") and "●" in row_of(app, "gamma"))
        assert "✗" not in row_of(app, "beta"), "it failed before the user's eyes"
        gates[0].set()
        await until(pilot, lambda: " new " in row_of(app, "alpha"))
        await screen.workspace.history.refresh()
        await until(pilot, lambda: "Older chat" in words(app))
        assert " new " in row_of(app, "alpha")
        await pilot.press("ctrl+b", "slash", *"alph")
        await until(pilot, lambda: "Older chat" not in words(app))
        assert " new " in row_of(app, "alpha")
        await pilot.press("escape", "escape")
        await pilot.press("f9")
        await until(pilot, lambda: "from a" in words(app))
        await until(pilot, lambda: " new " not in row_of(app, "alpha"))


async def test_marks_are_painted_once_a_second_at_most(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[int] = []
    show = ChatList.show_marks
    monkeypatch.setattr(ChatList, "show_marks", lambda self, marks: (painted.append(1), show(self, marks))[1])
    monkeypatch.setattr("kai_tui.ui.screens.chat_elsewhere.MARKS_SECONDS", 1000.0)
    app = app_for(own_home, ScriptedBackend(replies=[reply(f"r{n}") for n in range(5)]))
    async with app.run_test(size=WIDE) as pilot:
        await ready(app, pilot)
        for n in range(5):
            await ask(app, pilot, f"q{n}")
        assert len(painted) <= 1


async def test_new_means_not_seen_to_its_end(own_home: Path) -> None:
    gate = asyncio.Event()
    long = [
        *reply("a")[:2],
        e.TextDelta("t", "\n\n".join(f"line {n}" for n in range(80))),
        gate,
        e.Finish("stop"),
    ]
    app = app_for(own_home, ScriptedBackend(replies=[long]))
    async with app.run_test(size=WIDE) as pilot:
        screen = await ready(app, pilot)
        session = await ask(app, pilot, "long one")
        await until(pilot, lambda: "line 79" in words(app))
        await pilot.press("ctrl+home")
        await until(pilot, lambda: not screen.query_one(Transcript).follow)
        gate.set()
        attention = screen.workspace.attention
        await until(pilot, lambda: session.chat_id in attention.states and not session.turn.busy)
        assert attention.states[session.chat_id].want == "new"
        await pilot.press("ctrl+end")
        await until(pilot, lambda: not attention.states)


async def test_away_from_the_terminal_nothing_is_seen(own_home: Path) -> None:
    gate = asyncio.Event()
    app = app_for(own_home, ScriptedBackend(replies=[reply("a", gate)]))
    async with app.run_test(size=WIDE) as pilot:
        screen = await ready(app, pilot)
        session = await ask(app, pilot, "one")
        app.post_message(events.AppBlur())
        await until(pilot, lambda: not app.attendance.here)
        gate.set()
        attention = screen.workspace.attention
        await until(pilot, lambda: [each.want for each in attention.states.values()] == ["new"])
        app.post_message(events.AppFocus())
        await until(pilot, lambda: not attention.states)
        assert session.turn.reason == "stop"


async def test_a_narrow_window_says_what_the_others_want(own_home: Path) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(replies=[reply("a", gate), reply("b", asyncio.Event()), reply("c")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        for text in ("one", "two", "three"):
            await ask(app, pilot, text)
        gate.set()
        await until(pilot, lambda: "2 other chats: 1 new, 1 works" in words(app))
        assert "F9 next" in words(app)
        await pilot.press("ctrl+b")
        await until(pilot, lambda: "2 other chats" not in words(app))
        assert " new " in row_of(app, "one")


async def test_f9_goes_to_who_waits_then_to_who_failed_then_to_what_is_new(own_home: Path) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    backend = ScriptedBackend(
        replies=[
            reply("a", gates[0]),
            reply("b", gates[1], end=e.Finish("lost")),
            question("c", gates[2]),
            reply("d"),
        ]
    )
    clock = Clock()
    app = app_for(own_home, backend, clock=clock)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ready(app, pilot)
        new, failed = await ask(app, pilot, "one"), await ask(app, pilot, "two")
        asking = await ask(app, pilot, "three")
        await put_off(app, pilot, clock)
        await ask(app, pilot, "four")
        gates[1].set()
        await until(pilot, lambda: not failed.turn.busy)
        gates[0].set()
        await until(pilot, lambda: len(screen.workspace.attention.states) == 3)
        await until(pilot, lambda: len(screen._beckoned) == 2)
        screen._beckoned.clear()  # as when the toasts are gone
        for expected in (asking, failed, asking, new, asking):
            await pilot.press("f9")
            await until(pilot, lambda expected=expected: screen.session is expected)
        await pilot.press("f9")
        await until(pilot, lambda: any("Only this chat waits" in text for _, text in toasts(app)))


async def test_other_chats_speak_by_name_and_f9_goes_there(own_home: Path) -> None:
    gate = asyncio.Event()
    refused: list[Step] = [gate, TokenRefused("The token is refused.")]
    backend = ScriptedBackend(replies=[refused, refused, reply("c")])
    app = app_for(own_home, backend)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ready(app, pilot)
        hostile = "\x1b]0;owned\x07[red]ab[/red]"
        for text in ("one", "two"):
            await pilot.press(*text, "enter")
            session = screen.session
            assert session is not None
            await until(pilot, lambda session=session: session.turn.busy)
            session.set_title(f"{text} {hostile}")
            await pilot.press("ctrl+n")
            await until(pilot, lambda session=session: screen.session not in (None, session))
        await pilot.press(*"three", "enter")
        gate.set()
        await until(pilot, lambda: any("refused" in text for _, text in toasts(app)))
        await until(
            pilot, lambda: not any(each.turn.busy for each in screen.workspace.chats.sessions.values())
        )
        refusals = [(title, text) for title, text in toasts(app) if "refused" in text]
        assert len(refusals) == 1, "one for all chats"
        title, text = refusals[0]
        assert title.startswith("In “one ␛]0;owned␇[red]ab[/red]")
        assert "F9 goes there." in text
        assert app.screen is screen
        await pilot.press("f9")
        await until(
            pilot, lambda: screen.session is not None and screen.session.title.startswith(("one", "two"))
        )


async def test_one_chat_says_the_same_kind_of_thing_once_in_a_while(own_home: Path) -> None:
    from kai_tui.services.changes import Notice

    app = app_for(own_home, ScriptedBackend(replies=[reply("a"), reply("b")]))
    async with app.run_test(size=WIDE) as pilot:
        screen = await ready(app, pilot)
        other = await ask(app, pilot, "other")
        await ask(app, pilot, "here")
        for n in range(20):
            other.tell_notice(Notice(f"Warning {n}", "warning"))
        other.tell_notice(Notice("An error", "error"))
        screen.session.tell_notice(Notice("Mine", "warning"))  # type: ignore[union-attr]
        await until(pilot, lambda: any("Mine" in text for _, text in toasts(app)))
        said = [text.split("\n")[0] for title, text in toasts(app) if title == "In “other”"]
        assert said == ["Warning 0", "An error"]
        assert [each.notice.sentence for each in screen._unsaid.values() if each.notice] == ["Warning 19"]


async def test_a_marked_chat_that_is_gone_loses_its_mark_when_it_is_opened(own_home: Path) -> None:
    backend = ScriptedBackend(stored=stored("Gone"), replies=[reply("a")])
    app = app_for(own_home, backend)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ready(app, pilot)
        attention = screen.workspace.attention
        await screen.workspace._keeper.keep_note("lost", "unseen", {"want": "new", "title": "Lost one"})
        attention._restored = False
        await attention.restore()
        await until(pilot, lambda: "Lost one" in words(app))
        await pilot.press("f9")
        await until(pilot, lambda: "could not be opened" in words(app))
        assert not attention.states


async def test_quitting_says_what_runs_and_stays_when_asked_to(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("a", asyncio.Event()), question("b", asyncio.Event())])
    clock = Clock()
    app = app_for(own_home, backend, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        await ask(app, pilot, "alpha")
        await ask(app, pilot, "beta")
        await put_off(app, pilot, clock)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        shown = words(app)
        for text in ("1 reply runs and 1 decision waits", "! beta", "● alpha", "Ctrl+Q again quits"):
            assert text in shown
        await pilot.press("enter")  # the focus is on "Stay"
        await until(pilot, lambda: app.screen is screen)
        assert backend.hung_up == 0
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app._exit)
    assert backend.hung_up == 2


async def test_what_came_of_running_replies_is_there_again(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("a", asyncio.Event()), reply("b", asyncio.Event())])
    app = app_for(own_home, backend)
    async with app.run_test(size=WIDE) as pilot:
        await ready(app, pilot)
        chats = [await ask(app, pilot, "alpha"), await ask(app, pilot, "beta")]
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("right", "enter")
    backend.chat_error = NotFound("Not there.")
    again = app_for(own_home, backend)
    async with again.run_test(size=WIDE) as pilot:
        screen = await ready(again, pilot)
        assert {each.title: each.want for each in screen.workspace.attention.states.values()} == {
            "alpha": "failed"
        }
        for session, text in zip(chats, ("from a", "from b"), strict=True):
            await go(again, pilot, session.chat_id)
            await until(pilot, lambda text=text: text in words(again))


async def test_changing_the_account_asks_when_something_runs_and_not_otherwise(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("a", asyncio.Event())])
    app = app_for(own_home, backend, known=[kai_account(1)])
    async with app.run_test(size=WIDE) as pilot:
        screen = await ready(app, pilot)
        session = await ask(app, pilot, "alpha")
        app.open_account(kai_account(1))
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "1 reply runs" in words(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert session.turn.busy
        app.open_account(kai_account(1))
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.workspace is not None and app.workspace.account.id == "project-1")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and app.screen is not screen)
        app.open_account(app.accounts.sandbox())
        await until(pilot, lambda: app.workspace is not None and app.workspace.account.kind == "sandbox")


async def test_a_reply_of_another_window_is_said_to_be_one_and_read_again_in_place(own_home: Path) -> None:
    gate = asyncio.Event()
    chats = stored("Counting")
    chats["chat-0"] = Chat(chats["chat-0"].summary, [Message.user("q", "How many?")])
    backend = ScriptedBackend(stored=chats, replies=[reply("a", gate)])
    other = app_for(own_home, backend).accounts.open(kai_account())
    await other._keeper.ready()
    writer = await other.chats.open_chat("chat-0")
    writer.send("again")
    await until_kept(other, "from a")
    backend.stored["chat-0"] = Chat(chats["chat-0"].summary, writer.messages[:2])

    app = app_for(own_home, backend, sandbox=False)
    async with app.run_test(size=WIDE) as pilot:
        app.open_account(kai_account())
        await ready(app, pilot)
        await until(pilot, lambda: "Counting" in words(app))
        await go(app, pilot, "chat-0")
        await until(pilot, lambda: "another kai-tui window writes this" in words(app))
        assert "cut off" not in words(app)
        await pilot.press(*"typed here")
        gate.set()
        await until(pilot, lambda: not writer.turn.busy)
        backend.stored["chat-0"] = Chat(chats["chat-0"].summary, writer.messages)
        chats_list = app.screen.query_one(ChatList)
        chats_list.post_message(ChatList.Opened(chats_list, "chat-0"))
        await until(pilot, lambda: "another kai-tui window" not in words(app) and "from a" in words(app))
        assert composer(app).text == "typed here"
    await other.aclose()


async def test_a_waiting_question_is_named_with_its_chat_and_this_chat_comes_first(own_home: Path) -> None:
    clock = Clock()
    backend = ScriptedBackend(replies=[question("a", asyncio.Event()), question("b", asyncio.Event())])
    app = app_for(own_home, backend, clock=clock)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ready(app, pilot)
        first = await ask(app, pilot, "alpha")
        await put_off(app, pilot, clock)
        await until(pilot, lambda: "The assistant asks: " in words(app))
        await ask(app, pilot, "beta")
        await put_off(app, pilot, clock)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "“alpha” asks: " in words(app))
        await pilot.press("f9")
        await until(pilot, lambda: screen.session is first)
        await pilot.press("f9")
        await until(pilot, lambda: screen.session not in (None, first))
        await until(pilot, lambda: "The assistant asks: " in words(app))
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, InboxDialog) and "2 here" in words(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ApprovalDialog))
        assert isinstance(app.screen, ApprovalDialog)
        assert app.screen.approval.chat_title == "beta"

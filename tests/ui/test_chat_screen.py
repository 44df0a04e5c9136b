"""The chat screen over real services: writing, drafts, history, deleting, stopping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from textual import events
from textual.command import CommandPalette
from textual.widgets import OptionList, Static
from textual.widgets._toast import Toast

from kai_tui.backends.base import CannotConnect, Chat, ChatSummary, Outgoing, ServerFailed
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.ui.actions import for_palette
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.confirm_delete import ConfirmDelete
from kai_tui.ui.modals.help import HelpDialog
from kai_tui.ui.modals.open_link import OpenLink, refusal
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.transcript.view import Transcript
from kai_tui.ui.widgets.chat_list import ChatList
from kai_tui.ui.widgets.composer import Composer
from tests.services.scripted_backend import ScriptedBackend, Step
from tests.ui.fakes import accounts_of, app_for, stored, until


def reply(text: str = "West sold most.", *more: Step) -> list[Step]:
    return [e.Start("answer"), e.TextStart("t"), e.TextDelta("t", text), *more, e.Finish("stop")]


def words(app: KaiApp) -> str:
    return "\n".join(
        "".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()
    )


async def ready(app: KaiApp, pilot) -> ChatScreen:
    await until(pilot, lambda: isinstance(app.screen, ChatScreen) and isinstance(app.focused, Composer))
    screen = app.screen
    assert isinstance(screen, ChatScreen)
    await until(pilot, lambda: screen.workspace.connection.state != "connecting")
    return screen


def composer(app: KaiApp) -> Composer:
    return app.screen_stack[0].query_one(Composer)


async def test_a_message_goes_out_and_the_answer_comes_in(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply()])
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        assert "Which region sold most" in words(app)
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: "West sold most." in words(app))
        assert [each.text for each in backend.posts] == ["hello"]
        assert composer(app).text == ""


async def test_escape_stops_the_reply_and_what_came_stays(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("Half of it", asyncio.Event())])
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await ready(app, pilot)
        await pilot.press("x", "enter")
        await until(pilot, lambda: "Half of it" in words(app))
        await pilot.press("escape")
        await until(pilot, lambda: backend.hung_up == 1)
        session = next(iter(screen.workspace.chats.sessions.values()))
        await until(pilot, lambda: session.turn.reason == "cancelled")
        assert "Half of it" in words(app)


async def test_messages_typed_meanwhile_wait_and_can_be_taken_back(own_home: Path) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(replies=[reply("Half", gate)])
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await pilot.press("x", "enter")
        await until(pilot, lambda: "Half" in words(app))
        await pilot.press(*"next", "enter")
        await until(pilot, lambda: "queued: next" in words(app))
        await pilot.press("alt+up")
        await until(pilot, lambda: composer(app).text == "next")
        assert "queued:" not in words(app)
        gate.set()
        await until(pilot, lambda: "streaming" not in words(app))
        assert len(backend.posts) == 1


async def test_a_draft_survives_the_end_of_the_program(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await pilot.press(*"unfinished")
        await pilot.pause()
    again = app_for(own_home)
    async with again.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: isinstance(again.screen, ChatScreen))
        await until(pilot, lambda: composer(again).text == "unfinished")


async def test_a_draft_is_on_disk_within_half_a_second(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await ready(app, pilot)
        saved: list[tuple[str, str]] = []
        save = screen.workspace.save_draft

        async def spy(chat_id: str, text: str) -> None:
            saved.append((chat_id, text))
            await save(chat_id, text)

        screen.workspace.save_draft = spy  # type: ignore[method-assign]
        await pilot.press("a", "b")
        await until(pilot, lambda: saved and saved[-1][1] == "ab", seconds=2)


async def test_every_chat_keeps_its_own_draft(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(stored=stored("First", "Second")))
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await ready(app, pilot)
        await until(pilot, lambda: "Second" in words(app))
        await pilot.press(*"new one")
        screen.query_one(ChatList).post_message(ChatList.Opened(screen.query_one(ChatList), "chat-0"))
        await until(pilot, lambda: composer(app).text == "")
        await pilot.press(*"to first")
        screen.query_one(ChatList).post_message(ChatList.Opened(screen.query_one(ChatList), "chat-1"))
        await until(pilot, lambda: composer(app).text == "")
        screen.query_one(ChatList).post_message(ChatList.Opened(screen.query_one(ChatList), "chat-0"))
        await until(pilot, lambda: composer(app).text == "to first")


async def test_opening_a_chat_shows_its_messages(own_home: Path) -> None:
    chats = stored("Orders")
    summary = chats["chat-0"].summary
    chats["chat-0"] = Chat(summary, [Message.user("u", "An old question")])
    app = app_for(own_home, ScriptedBackend(stored=chats))
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await ready(app, pilot)
        await until(pilot, lambda: "Orders" in words(app))
        await pilot.press("ctrl+b", "down", "enter")
        await until(pilot, lambda: "An old question" in words(app))
        assert screen.query_one(ChatList).open_id == "chat-0"
        assert isinstance(app.focused, Composer)


async def test_a_chat_that_cannot_be_opened_says_why_and_keeps_what_is_typed(own_home: Path) -> None:
    backend = ScriptedBackend(stored={"gone": Chat(ChatSummary("gone", "Gone", "", ""), [])})
    app = app_for(own_home, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await ready(app, pilot)
        await until(pilot, lambda: "Gone" in words(app))
        backend.chat_error = ServerFailed("The server failed. Try again later.")
        screen.query_one(ChatList).post_message(ChatList.Opened(screen.query_one(ChatList), "gone"))
        await until(pilot, lambda: "could not be opened" in words(app))
        assert "The server failed" in words(app)
        await pilot.press(*"keep me", "enter")
        await until(pilot, lambda: composer(app).text == "keep me")
        assert backend.posts == []


async def test_a_server_out_of_reach_is_said(own_home: Path) -> None:
    backend = ScriptedBackend()

    async def refuse() -> None:
        raise CannotConnect("The server was not reached. Check your network.")

    backend.connect = refuse  # type: ignore[method-assign,assignment]
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "The server was not reached" in words(app))
        assert "Not connected" in words(app)


async def test_deleting_asks_first_and_cancel_has_the_focus(own_home: Path) -> None:
    backend = ScriptedBackend(stored=stored("Bob's [b]secrets[/b]", "Other"))
    app = app_for(own_home, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await ready(app, pilot)
        await until(pilot, lambda: "Other" in words(app))
        await pilot.press("ctrl+b")
        screen.query_one(ChatList).move_to("chat-0")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDelete) and app.screen.focused)
        assert "Bob's [b]secrets[/b]" in words(app)
        assert "chat-0" in words(app)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        assert backend.deleted == []
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDelete) and app.screen.focused)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: backend.deleted == ["chat-0"])


async def test_a_refused_delete_keeps_the_chat(own_home: Path) -> None:
    backend = ScriptedBackend(stored=stored("One"), delete_error=ServerFailed("The server failed."))
    app = app_for(own_home, backend)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        screen = await ready(app, pilot)
        await until(pilot, lambda: "One" in words(app))
        await pilot.press("ctrl+b")
        screen.query_one(ChatList).move_to("chat-0")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDelete) and app.screen.focused)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "was not deleted" in words(app))
        assert "One" in words(app)


async def test_the_list_is_hidden_where_it_is_narrow(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(stored=stored("One")))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        sidebar = screen.query_one("#sidebar")
        assert not sidebar.display
        await pilot.press("f2")
        await until(pilot, lambda: sidebar.display and isinstance(app.focused, ChatList))
        await pilot.press("escape")
        await until(pilot, lambda: not sidebar.display and isinstance(app.focused, Composer))
        await pilot.resize_terminal(140, 40)
        await until(pilot, lambda: sidebar.display)


async def test_a_title_from_the_server_shows_in_the_header(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[[e.Start("a"), e.Title("Sales by region"), e.Finish("stop")]])
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await pilot.press("x", "enter")
        await until(pilot, lambda: "Sales by region" in words(app).split("\n")[0])


async def test_new_chat_starts_empty(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply()]))
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await pilot.press("x", "enter")
        await until(pilot, lambda: "West sold most." in words(app))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "West sold most." not in words(app))
        assert isinstance(app.focused, Composer)


async def test_reading_and_back(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply("line\n\n" * 60)]))
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await ready(app, pilot)
        await pilot.press("x", "enter")
        await until(pilot, lambda: "line" in words(app))
        transcript = screen.query_one(Transcript)
        await until(pilot, lambda: transcript.scroll_y > 0)
        await pilot.press("pageup")
        await until(pilot, lambda: "to the end" in words(app))
        assert isinstance(app.focused, Composer)
        await pilot.press("ctrl+end")
        await until(pilot, lambda: transcript.follow)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.focused is transcript)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.focused, Composer))


async def test_the_palette_lists_every_action(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(100, 60)) as pilot:
        screen = await ready(app, pilot)
        offered = [
            item
            for item in for_palette(("app", "chat"))
            if screen.check_action(item.name, ()) and not screen.denies(item.name)
        ]
        assert len(offered) >= 15
        await pilot.press("ctrl+p")
        await until(pilot, lambda: CommandPalette.is_open(app))
        wanted = {app.label_of(item) for item in offered}
        options = app.screen.query_one(OptionList)
        await until(pilot, lambda: options.option_count >= len(wanted))
        shown = {options.get_option_at_index(number).hit.text for number in range(options.option_count)}
        assert shown == wanted


async def test_a_command_of_the_palette_acts(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(100, 40)) as pilot:
        await ready(app, pilot)
        before = app.theme
        await pilot.press("ctrl+p")
        await until(pilot, lambda: CommandPalette.is_open(app))
        await pilot.press(*"light or dark")
        options = app.screen.query_one(OptionList)
        await until(pilot, lambda: options.option_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: app.theme != before)
        assert accounts_of(app).preferences().theme == app.theme


async def test_help_shows_every_group_of_keys(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(100, 200)) as pilot:
        await ready(app, pilot)
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog) and "Approvals" in words(app))
        for words_there in ("Writing", "Reading", "Chats", "Program", "Ctrl+N", "The sandbox"):
            assert words_there in words(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))


async def test_ctrl_c_twice_quits_and_once_does_not(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+c")
        assert not app._exit
        await pilot.press("ctrl+c")
        await until(pilot, lambda: app._exit)


async def test_a_link_is_asked_about_with_its_host(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await ready(app, pilot)
        screen.post_message(Transcript.LinkChosen("https://example.com/a?b=c"))
        await until(pilot, lambda: isinstance(app.screen, OpenLink) and app.screen.focused)
        assert "host  example.com" in words(app)
        assert app.screen.query_one("#body", Static)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)


def test_addresses_that_are_never_opened() -> None:
    for bad in (
        "javascript:alert(1)",
        "file:///etc/passwd",
        "vscode://x",
        "https://good.com@evil.com/",
        "https://",
        "https:\\\\evil.com",
        "https://a.com/\u202egpj",
        "https://a b.com/",
        "//evil.com",
        "-x",
    ):
        assert refusal(bad) is not None, bad
    assert refusal("https://example.com/path?x=1#y") is None


async def test_a_pasted_token_is_warned_about(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        screen = await ready(app, pilot)
        prompt = composer(app)
        screen.post_message(Composer.Pasted(prompt, "1234-567890-abcdefghijABCDEFGHIJabcdefghijABCDEFGHIJ"))
        await until(pilot, lambda: "looks like a token" in words(app))


async def test_letters_behind_the_new_chat_key_stand_in_the_new_chat(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test() as pilot:
        workspace = app.workspace
        assert workspace is not None
        await until(pilot, lambda: workspace.connection.state == "connected")
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        composer = screen.query_one(Composer)
        old = screen.session
        for key in ["o", "l", "d", "ctrl+n", "n", "e", "w"]:
            event = events.Key(key, key if len(key) == 1 else None)
            event.set_sender(app)
            app.post_message(event)
        await until(pilot, lambda: composer.text_to_send == "new")
        assert screen.session is not old
        assert old is not None
        assert screen._drafts.known(old.chat_id) == "old"


async def test_what_was_sent_into_a_chat_that_still_opens_never_goes_to_another(own_home: Path) -> None:
    backend = ScriptedBackend(stored=stored("First", "Second"), replies=[reply()])
    gate, read = asyncio.Event(), backend.chat
    sent = []
    send = backend.send

    async def spy(chat_id: str, outgoing: Outgoing) -> AsyncIterator[e.Event]:
        sent.append((chat_id, outgoing.text))
        async for each in send(chat_id, outgoing):
            yield each

    backend.send = spy

    async def slow(chat_id: str) -> Chat:
        if chat_id == "chat-0":
            await gate.wait()
        return await read(chat_id)

    backend.chat = slow
    app = app_for(own_home, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await ready(app, pilot)
        await until(pilot, lambda: "Second" in words(app))
        screen.query_one(ChatList).post_message(ChatList.Opened(screen.query_one(ChatList), "chat-0"))
        await until(pilot, lambda: screen._opening == "chat-0")
        await pilot.press(*"delete it", "enter")
        await until(pilot, lambda: screen._held)
        screen.query_one(ChatList).post_message(ChatList.Opened(screen.query_one(ChatList), "chat-1"))
        await until(pilot, lambda: screen._session is not None and screen._session.chat_id == "chat-1")
        await pilot.pause(0.2)
        assert sent == []
        assert screen._drafts.known("chat-0") == "delete it"


async def test_a_notice_lies_neither_over_the_prompt_nor_over_what_is_being_written(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await ready(app, pilot)
        app.notify("Something happened, and this is a sentence that takes some room to say it.", markup=False)
        await until(pilot, lambda: screen.query(Toast) and screen.query_one(Toast).region.height)
        notice = screen.query_one(Toast).region
        assert notice.bottom < 12
        assert not notice.overlaps(screen.query_one(Composer).region)

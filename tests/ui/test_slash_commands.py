"""Commands in the prompt: the list above it, what Enter does, and what is never sent by mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from kai_tui.ui.app import KaiApp
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.screens.chat_queue import STRAY_SECONDS
from kai_tui.ui.themes import LIGHT
from kai_tui.ui.widgets.composer import Composer
from kai_tui.ui.widgets.popover import Popover
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, kai_account, until


async def ready(app: KaiApp, pilot) -> tuple[ChatScreen, Composer]:
    await until(pilot, lambda: isinstance(app.screen, ChatScreen) and isinstance(app.focused, Composer))
    screen, composer = app.screen, app.focused
    assert isinstance(screen, ChatScreen)
    assert isinstance(composer, Composer)
    await until(pilot, lambda: composer.helper is not None and screen.workspace.caps is not None)
    return screen, composer


def shown(app: KaiApp) -> str:
    """What the list above the prompt shows; empty when there is none."""
    found = app.screen.query(Popover)
    if not found or not found.first().has_class("-open"):
        return ""
    popover = found.first()
    return "\n".join(popover.render_line(y).text.rstrip() for y in range(popover.size.height))


def sent(screen: ChatScreen) -> list[str]:
    session = screen.session
    return [each.text for each in session.messages if each.role == "user"] if session is not None else []


def told(app: KaiApp) -> str:
    return "\n".join(each.message for each in app._notifications)


async def type_at_once(app: KaiApp, pilot, *keys: str) -> None:
    """All keys in one write of the terminal."""
    for key in keys:
        event = events.Key(key, key if len(key) == 1 else None)
        event.set_sender(app)
        assert app._driver is not None
        app._driver.send_message(event)
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)])
async def test_a_slash_lists_commands_over_the_conversation_without_moving_it(tmp_path: Path, size) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=size) as pilot:
        screen, composer = await ready(app, pilot)
        before = composer.region, screen.query_one("#reading").region
        await pilot.press("slash")
        await until(pilot, lambda: "/new" in shown(app))
        popover = screen.query_one(Popover)
        assert (composer.region, screen.query_one("#reading").region) == before
        assert popover.region.bottom == composer.region.y
        assert popover.region.height <= 10
        await pilot.press("t", "h", "e", "m")
        await until(pilot, lambda: shown(app).splitlines()[0].split()[:1] == ["/theme"])
        await pilot.press("escape")
        await until(pilot, lambda: not shown(app))
        assert composer.text == "/them"
        await pilot.press("e")
        assert not shown(app), "it stays shut for this word"
        await pilot.press("ctrl+u", "slash")
        await until(pilot, lambda: "/new" in shown(app))


async def test_enter_runs_what_the_cursor_is_on_and_sends_nothing(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen, composer = await ready(app, pilot)
        await type_at_once(app, pilot, *"/them", "tab", *"li", "enter", *"hello")
        await until(pilot, lambda: app.theme == LIGHT)
        await until(pilot, lambda: composer.text == "hello")
        assert sent(screen) == []
        await pilot.press("ctrl+u", "up")
        assert composer.text == "/theme light", "it can be recalled"
        assert not shown(app)


async def test_arrows_move_and_a_click_runs(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen, composer = await ready(app, pilot)
        await type_at_once(app, pilot, *"/read")
        await until(pilot, lambda: "/readonly" in shown(app))
        names = [line.split()[0] for line in shown(app).splitlines() if line.strip()]
        at = names.index("/readonly")
        await pilot.press(*["down"] * at)
        assert screen.query_one(Popover).cursor_line == at
        await pilot.press("enter")
        await until(pilot, lambda: screen.session is not None and screen.session.read_only_switch)
        assert composer.text == ""
        await type_at_once(app, pilot, *"/readonly ")
        await until(pilot, lambda: shown(app).split() == ["on", "off"])
        await pilot.click(Popover, offset=(3, 2))
        await until(pilot, lambda: not screen.session.read_only_switch)
        assert composer.text == ""
        assert app.focused is composer
        assert sent(screen) == []


async def test_an_unknown_command_is_only_sent_on_purpose(tmp_path: Path, monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr("kai_tui.ui.screens.chat_commands.monotonic", lambda: now[0])
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen, composer = await ready(app, pilot)
        await type_at_once(app, pilot, *"/nwe", "enter")
        await until(pilot, lambda: "Did you mean /new?" in told(app))
        assert composer.text == "/nwe"
        await pilot.press("enter")  # a held key
        now[0] += STRAY_SECONDS + 1
        assert sent(screen) == []
        await pilot.press("enter")
        await until(pilot, lambda: sent(screen) == ["/nwe"])


@pytest.mark.parametrize(
    "text", ["/home/x is full", " /new", "/3 of them", "and/or", "/ what"], ids=lambda text: text.strip()[:6]
)
async def test_messages_that_only_look_like_commands_are_sent(tmp_path: Path, text: str) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen, composer = await ready(app, pilot)
        app.post_message(events.Paste(text))
        await until(pilot, lambda: composer.text == text)
        await pilot.press("enter")
        await until(pilot, lambda: sent(screen) == [text])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/new idea", "takes nothing behind it"),
        ("/theme blue", "/theme takes dark or light."),
        ("/new\nidea", "a command is one line"),
    ],
)
async def test_a_command_with_what_it_does_not_take_says_so(tmp_path: Path, text: str, why: str) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen, composer = await ready(app, pilot)
        composer.load(text)
        await pilot.press("enter")
        await until(pilot, lambda: why in told(app))
        assert composer.text == text
        assert sent(screen) == []


async def test_what_a_system_lacks_is_not_offered_and_says_why(tmp_path: Path) -> None:
    backend = ScriptedBackend(offers={"votes": False})
    app = app_for(tmp_path, backend)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen, composer = await ready(app, pilot)
        await until(pilot, lambda: not screen.caps.votes)
        await type_at_once(app, pilot, *"/vote")
        await until(pilot, lambda: composer.text == "/vote")
        assert "/vote" not in shown(app)
        await pilot.press(*" up")
        await pilot.press("escape", "enter")
        await until(pilot, lambda: "takes no votes" in told(app))
        assert sent(screen) == []


async def test_demos_are_offered_in_the_sandbox_only_and_sent_when_they_were_read(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen, composer = await ready(app, pilot)
        await type_at_once(app, pilot, *"/demo ")
        await until(pilot, lambda: "writes" in shown(app))
        await pilot.press("enter")
        assert composer.text == "/demo writes"
        assert sent(screen) == []
        await pilot.press("enter")
        await until(pilot, lambda: sent(screen) == ["/demo writes"])


async def test_a_demo_typed_in_full_is_sent_at_once(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen, _ = await ready(app, pilot)
        await type_at_once(app, pilot, *"/demo fail", "enter")
        await until(pilot, lambda: sent(screen) == ["/demo fail"])


async def test_elsewhere_demo_is_no_command(tmp_path: Path) -> None:
    app = app_for(tmp_path, known=[kai_account()])
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        app.open_account(kai_account())
        await until(
            pilot, lambda: isinstance(app.screen, ChatScreen) and app.screen.workspace.account.kind == "kai"
        )
        screen, _ = await ready(app, pilot)
        assert "demo" not in [each.words for each in screen.commands()]


@pytest.mark.parametrize("size", [(30, 8), (30, 24)])
async def test_a_small_window_shows_what_fits(tmp_path: Path, size) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=size) as pilot:
        screen, composer = await ready(app, pilot)
        await pilot.press("slash", "n")
        await until(pilot, lambda: "/new" in shown(app))
        popover = screen.query_one(Popover)
        assert popover.region.y >= 0
        assert popover.region.bottom == composer.region.y
        assert popover.region.right <= size[0]
        await pilot.resize_terminal(100, 30)
        await until(
            pilot,
            lambda: popover.region.bottom == composer.region.y and popover.region.x == composer.region.x,
        )


async def test_a_branch_is_another_account_of_the_same_project(tmp_path: Path) -> None:
    main = kai_account()
    feature = main._replace(id="feature", label="Project 1", branch_id=7, branch_name="Feature one")
    stranger = kai_account(2)._replace(project_id="2", branch_id=7, branch_name="Feature one")
    app = app_for(tmp_path, known=[main, feature, stranger])
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen, _ = await ready(app, pilot)
        assert "branch" not in [each.words for each in screen.commands()]
        app.open_account(main)
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and app.screen is not screen)
        screen, _ = await ready(app, pilot)
        await until(pilot, lambda: screen._branches)
        await type_at_once(app, pilot, *"/branch nope", "enter")
        await until(pilot, lambda: "no account of this project on “nope”" in told(app))
        await type_at_once(app, pilot, *"/branch fea")
        await until(pilot, lambda: "Feature one" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.workspace is not None and app.workspace.account.id == "feature")


async def test_while_a_question_is_open_nothing_of_the_list_acts(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen, composer = await ready(app, pilot)
        await type_at_once(app, pilot, *"/the")
        await until(pilot, lambda: "/theme" in shown(app))
        before = app.theme
        from kai_tui.ui.modals.help import HelpDialog

        app.push_screen(HelpDialog())
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))
        await pilot.press("down", "tab", "enter", "x")
        assert composer.text == "/the"
        assert app.theme == before
        while isinstance(app.screen, HelpDialog):
            await pilot.press("escape")
        await pilot.press("escape")
        assert composer.text == "/the"
        assert sent(screen) == []


async def test_keys_that_would_be_typed_here_are_not_shown_as_keys(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen, _ = await ready(app, pilot)
        keys = {each.words: each.key for each in screen.commands()}
        assert keys["new"] == "Ctrl+N"
        assert keys["vote up"] == keys["copy"] == ""
        assert all(len(key) != 1 for key in keys.values())


async def test_a_command_of_other_accounts_is_not_taken_for_a_slip(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen, composer = await ready(app, pilot)
        await type_at_once(app, pilot, *"/branch", "enter")
        await until(pilot, lambda: "/branch is not there with this account." in told(app))
        assert "Did you mean" not in told(app)
        assert composer.text == "/branch"
        assert sent(screen) == []

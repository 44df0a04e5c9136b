"""What can be copied on the chat screen, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import OptionList

from kai_tui.conversation import events as e
from kai_tui.services.preferences import Preferences
from kai_tui.storage.paths import app_paths
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.copy_menu import CopyMenu
from kai_tui.ui.modals.help import HelpDialog
from tests.services.scripted_backend import ScriptedBackend, Step
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import composer, ready, words

ANSWER = "**Two** tables:\n\n| name | rows |\n|---|--:|\n| orders | 20 |\n\n- `orders`\n"
PLAIN = "Two tables:\n\nname\trows\norders\t20\n\n- orders"


def said(app: KaiApp) -> str:
    return "\n".join(each.message for each in app._notifications)


def replies(*texts: str) -> list[list[Step]]:
    return [
        [e.Start(f"a{number}"), e.TextStart("t"), e.TextDelta("t", text), e.Finish("stop")]
        for number, text in enumerate(texts, 1)
    ]


async def chatted(app: KaiApp, pilot, *questions: str) -> None:
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


async def test_the_block_and_the_message_under_the_cursor(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=replies(ANSWER)))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await chatted(app, pilot, "q")
        await pilot.press("ctrl+o", "C")
        await until(pilot, lambda: app.clipboard == ANSWER.strip())
        assert "Sent the message to the terminal's clipboard" in said(app)
        await pilot.press("up", "c")
        await until(pilot, lambda: app.clipboard == "| name | rows |\n|---|--:|\n| orders | 20 |")
        assert "Sent the table to the terminal's clipboard" in said(app)


@pytest.mark.some(3)
@pytest.mark.parametrize(
    ("keys", "copied"),
    [
        (["a"], ANSWER.strip()),
        (["p", "a"], PLAIN),
        (["m"], ANSWER.strip()),
        (["b"], "- `orders`"),
        (["p", "b"], "- orders"),
        (["down", "enter"], ANSWER.strip()),
        (["w"], f"# q\n\n## You\n\nq\n\n## Kai\n\n{ANSWER.strip()}"),
        (["p", "w"], f"q\n\nYou\n\nq\n\nKai\n\n{PLAIN}"),
    ],
)
async def test_the_menu_copies_what_and_how(own_home: Path, keys: list[str], copied: str) -> None:
    app = app_for(own_home, ScriptedBackend(replies=replies(ANSWER)))
    async with app.run_test(size=(80, 24)) as pilot:
        await chatted(app, pilot, "q")
        await pilot.press("ctrl+o", "y")
        await until(pilot, lambda: isinstance(app.screen, CopyMenu) and app.screen.is_active)
        await pilot.press(*keys)
        await until(pilot, lambda: app.clipboard)
        assert app.clipboard == copied


async def test_the_menu_offers_what_there_is(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=replies("Answer")))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await ready(app, pilot)
        screen.action_copy_menu()
        await until(pilot, lambda: "There is nothing to copy yet." in said(app))
        screen.action_copy_answer()
        await until(pilot, lambda: "There is no answer to copy yet." in said(app))
        await chatted(app, pilot, "q")
        screen.action_copy_menu()
        await until(pilot, lambda: isinstance(app.screen, CopyMenu) and app.screen.is_active)
        assert app.screen.query_one(OptionList).option_count == 2
        assert "a  The last answer  6 characters" in words(app)
        assert "w  The whole chat  2 messages" in words(app)
        await pilot.press("b", "escape")
        await until(pilot, lambda: not isinstance(app.screen, CopyMenu))
        assert app.clipboard == ""


async def test_a_copied_chat_carries_no_secret(own_home: Path) -> None:
    token = "1234-567890-abcdefghijklmnopqrstuvwxyzABCDEF0123"
    app = app_for(own_home, ScriptedBackend(replies=replies(f"Use the token {token} now, ok")))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await chatted(app, pilot, "q")
        app.screen.action_copy_chat()
        await until(pilot, lambda: app.clipboard)
        assert token not in app.clipboard
        assert "now, ok" in app.clipboard
        assert "the whole chat (2 messages, secrets hidden)" in said(app)


@pytest.mark.slow
async def test_a_copied_answer_runs_nothing_when_it_is_pasted(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=replies("rm -rf x\x1b[201~\u202e\n\n")))
    async with app.run_test(size=(80, 24)) as pilot:
        await chatted(app, pilot, "q")
        app.screen.action_copy_answer()
        await until(pilot, lambda: app.clipboard)
        assert "\x1b" not in app.clipboard
        assert not app.clipboard.endswith("\n")


async def test_what_is_selected_is_copied_with_ctrl_c_also_in_dialogs(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=replies("Answer")))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await chatted(app, pilot, "q")
        transcript = app.screen.query_one("#transcript")
        x = next(line for line in words(app).split("\n") if "Answer" in line).index("Answer")
        await pilot.double_click(transcript, offset=(x + 1 - transcript.region.x, 2))
        await until(pilot, lambda: app.screen.get_selected_text() == "Answer")
        await pilot.press("ctrl+c")
        await until(pilot, lambda: app.clipboard == "Answer")
        assert "Sent what is selected to the terminal's clipboard." in said(app)
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog) and app.screen.is_active)
        app.screen.text_select_all()
        await pilot.press("ctrl+c")
        await until(pilot, lambda: "Scroll the conversation" in app.clipboard)
        assert not set("│╭╮╰╯─") & set(app.clipboard)


async def test_what_is_cut_in_the_prompt_is_on_the_clipboard_without_a_word(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("h", "i")
        composer(app).select_all()
        await pilot.press("ctrl+x")
        await until(pilot, lambda: app.clipboard == "hi")
        assert said(app) == ""


async def test_the_mouse_is_given_away_and_taken_back_and_that_is_remembered(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await ready(app, pilot)
        assert app.wants_mouse()
        await pilot.press("alt+m")
        await until(pilot, lambda: "mouse: the terminal's" in words(app))
        assert "Alt+M takes it back" in said(app)
        assert not Preferences(app_paths({"KAI_TUI_HOME": str(own_home)})).mouse
        assert not app.wants_mouse()
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog) and app.screen.is_active)
        await pilot.press("alt+m")
        await until(pilot, lambda: app.preferences.mouse)
        await pilot.press("escape")
        await until(pilot, lambda: "mouse: the terminal's" not in words(app))


@pytest.mark.slow
async def test_a_long_chat_is_copied_whole_and_keys_are_heard_meanwhile(own_home: Path) -> None:
    long = "\n\n".join(f"Paragraph {number} " + "of many words " * 40 for number in range(1_500))
    app = app_for(own_home, ScriptedBackend(replies=replies(long)))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await chatted(app, pilot, "q")
        app.screen.action_copy_chat()
        await pilot.press("h", "i")
        assert composer(app).text == "hi"
        await until(pilot, lambda: app.clipboard)
        assert app.clipboard == f"# q\n\n## You\n\nq\n\n## Kai\n\n{long}"

"""An account's mark: in the header, in the status line, in the question before a change; also without colours."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from kai_tui.conversation.events import Finish, TextDelta, TextStart
from kai_tui.services.account import ACCOUNT_COLOURS
from kai_tui.ui.colour_marks import mark, style_of
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.themes import DARK, LIGHT
from kai_tui.ui.widgets.chat_header import ChatHeader
from kai_tui.ui.widgets.composer import Composer
from kai_tui.ui.widgets.status_bar import StatusBar
from tests.ui.fakes import accounts_of, app_for, approval, kai_account, until
from tests.ui.test_start import words


def test_every_colour_has_a_shape_of_its_own() -> None:
    shapes = [mark(each) for each in ACCOUNT_COLOURS]
    assert len(set(shapes)) == len(ACCOUNT_COLOURS)
    assert all(cell_len(each) == 1 for each in shapes)
    assert mark("") == mark("mauve") == ""
    assert style_of("mauve") == "$text-muted"


@pytest.mark.some(1)
@pytest.mark.parametrize("theme", [DARK, LIGHT])
async def test_header_status_line_and_question_carry_it(own_home: Path, theme: str) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = theme
        app.open_account(kai_account()._replace(colour="magenta"))
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and "Project 1" in words(app))
        shape, shade = mark("magenta"), app.theme_variables["account-magenta"]
        for widget in (app.screen.query_one(ChatHeader), app.screen.query_one(StatusBar)):
            (segment,) = [each for each in widget.render_line(0) if "Project 1" in each.text]
            assert segment.text == f"{shape} Project 1"
            assert segment.style is not None
            assert segment.style.color is not None
            assert segment.style.color.get_truecolor().hex == shade
        app.push_screen(ApprovalDialog(approval(colour="magenta")))
        await until(pilot, lambda: isinstance(app.screen, ApprovalDialog))
        await until(pilot, lambda: f"{shape} My project" in words(app))


async def test_without_colours_the_shape_tells_and_a_conversation_can_be_drawn(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_for(own_home)
    accounts_of(app).backend.replies = [[TextStart("t"), TextDelta("t", "yes"), Finish("stop")]]
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_account(kai_account()._replace(colour="cyan"))
        await until(pilot, lambda: "◧ Project 1" in words(app) and isinstance(app.focused, Composer))
        await pilot.press("h", "i", "enter")
        await until(pilot, lambda: accounts_of(app).backend.posts and " hi" in words(app))

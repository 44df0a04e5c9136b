"""The first frame is the screen: nothing of it pops in afterwards, and what waits for later is not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kai_tui.ui.app import KaiApp
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.transcript.view import Transcript
from kai_tui.ui.widgets.composer import Composer
from tests.ui.fakes import app_for, until


async def test_what_is_painted_first_holds_every_word(own_home: Path) -> None:
    app = app_for(own_home)
    frames: list[str] = []
    before = app._display

    def display(screen: Any, renderable: Any) -> None:
        if renderable is not None and not app._batch_count:
            frames.append("\n".join(strip.text for strip in screen._compositor.render_strips()))
        before(screen, renderable)

    app._display = display  # type: ignore[method-assign]
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: bool(frames))
        for words in ("Chats", "/ search", "loading…", "New chat · Kai", "The sandbox", "Try one", "F1 help"):
            assert words in frames[0], words
        assert isinstance(app.screen_stack[0], ChatScreen), "no empty screen is styled and drawn below it"


async def test_the_transcript_and_silent_lines_come_after_it_and_are_there_for_the_first_chat(
    own_home: Path,
) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        assert not screen.query(Transcript)
        await until(pilot, lambda: bool(screen.query(Transcript)) and bool(screen.query("#queued")))
        assert _order(app) == ["chat-header", "reading", "banner", "queued", "purpose", "about", "enclosed"]


def _order(app: KaiApp) -> list[str | None]:
    column = app.screen.query_one(Composer).parent
    assert column is not None
    return [each.id for each in column.children][:7]

"""The next page is drawn while nothing happens; what is in sight stays where it is."""

from __future__ import annotations

import pytest

from kai_tui.conversation.messages import Message
from kai_tui.ui.transcript import ahead
from kai_tui.ui.transcript.blocks import LONG
from tests.ui.fakes import until
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, answer, text
from tests.ui.transcript.corpus import document
from tests.ui.transcript.test_long_chat import kept_chat


def _rested(app: TranscriptApp) -> bool:
    return app.transcript._ahead is None


@pytest.mark.parametrize("up", [True, False])
async def test_of_the_next_page_nothing_is_left_to_draw(up: bool) -> None:
    source, _ = kept_chat(400)
    app = TranscriptApp(source)
    async with app.run_test(size=(100, 30)) as pilot:
        transcript = app.transcript
        page = transcript.action_page_up if up else transcript.action_page_down
        if not up:
            transcript.action_scroll_home()
        for _ in range(8):
            page()
            shown = app.lines()
            await until(pilot, lambda: _rested(app))
            assert app.lines() == shown
            assert transcript.scroll_y == transcript.scroll_target_y
            assert transcript.virtual_size.height == transcript._document.total
            drawn = transcript._document.renders
            page()
            assert transcript._document.renders == drawn
            await until(pilot, lambda: _rested(app))


async def test_a_slice_ends_in_time_and_goes_on_where_it_was() -> None:
    source, _ = kept_chat(200)
    app = TranscriptApp(source)
    async with app.run_test(size=(100, 30)):
        document_ = app.transcript._document
        top, drawn, slices = app.transcript._top, document_.renders, 0
        while True:
            standing = document_.place(top)
            assert standing is not None
            before = document_.renders
            more = ahead.prepare(document_, top, 30, up=True, seconds=0.000_001)
            assert document_.renders - before <= 2
            row = document_.row_of(standing.item)
            assert row is not None
            top = row + standing.line
            slices += 1
            if not more:
                break
            assert slices < 1_000
        assert slices > 2
        assert document_.renders > drawn


async def test_while_the_end_is_followed_nothing_is_drawn_ahead() -> None:
    source, _ = kept_chat(200)
    app = TranscriptApp(source)
    async with app.run_test(size=(100, 30)) as pilot:
        app.transcript.action_page_up()
        app.transcript.jump_to_end()
        drawn = app.transcript._document.renders
        await until(pilot, lambda: _rested(app))
        assert app.transcript._document.renders == drawn


async def test_a_message_that_is_long_to_split_is_left_for_the_one_who_comes_to_it() -> None:
    found = [answer(text(document(LONG + 5_000)), id="long")]
    found += [Message.user(f"u{number}", f"Question {number}") for number in range(60)]
    app = TranscriptApp(ChatSource(*found))
    async with app.run_test(size=(100, 30)):
        transcript = app.transcript
        document_ = transcript._document
        top = document_.heights.before(1)
        assert not ahead.prepare(document_, top, 30, up=True)
        assert document_.blocks[0].items is None

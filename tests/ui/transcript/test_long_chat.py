"""10,000 messages in the transcript: what is not near the window is a text and a height (issue 6, Long)."""

from __future__ import annotations

import pytest

from kai_tui.conversation.kept_message import KeptMessage, RecentlyRead, kept, kept_of
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import MessagesReset
from kai_tui.ui.transcript import blocks
from kai_tui.ui.transcript.splitter import Splitter
from kai_tui.ui.transcript.stops import Stop
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp
from tests.ui.transcript.corpus import document


def kept_chat(count: int, first: int = 0) -> tuple[ChatSource, RecentlyRead]:
    recent = RecentlyRead()
    found: list[Message] = []
    texts = [document(600, seed) for seed in range(20)]
    for number in range(first, first + count):
        role = "assistant" if number % 2 else "user"
        text = f"Number {number}.\n\n{texts[number % 20] if number % 2 else ''}"
        call = {"type": "tool-query", "toolCallId": f"c{number}", "state": "output-available", "output": "ok"}
        parts = [*([call] if number % 6 == 1 else []), {"type": "text", "text": text}]
        found.append(kept_of({"id": f"m{number}", "role": role, "parts": parts}, recent))
    assert all(isinstance(message, KeptMessage) for message in found)
    return ChatSource(*found), recent


async def test_opening_reads_what_is_in_sight() -> None:
    source, recent = kept_chat(10_000)
    app = TranscriptApp(source)
    async with app.run_test(size=(120, 40)):
        assert "Number 9999." in app.shown()
        assert recent.reads < 30
        document = app.transcript._document
        assert len(document.open) < 30
        assert sum(1 for _ in document.blocks.made()) < 30
        app.transcript.action_scroll_home()
        assert "Number 0." in app.shown()
        app.transcript.scroll_to(y=document.total // 2, animate=False)
        assert "Number " in app.shown()
        assert recent.reads < 100
        assert document.renders < 150


async def test_browsing_keeps_nothing_far_away() -> None:
    source, recent = kept_chat(1_000)
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        transcript = app.transcript
        document = transcript._document
        seen: set[str] = set()
        for _ in range(200):
            seen |= {line for line in app.lines() if "Number" in line}
            transcript.action_page_up()
            assert len(document.open) <= blocks.MOST_OPEN + 10
        assert len(seen) > 125
        held = [message for message in recent if message.held]
        assert 0 < len(held) == len(document.open)
        assert sum(message.is_read for message in source.messages if isinstance(message, KeptMessage)) <= 310
        assert sum(block.items is not None for block in document.blocks.made()) == len(document.open)


async def test_a_page_down_and_up_shows_the_same_again() -> None:
    source, _ = kept_chat(600)
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        transcript = app.transcript
        transcript.action_page_up()
        before = app.lines()
        for _ in range(120):
            transcript.action_page_up()
        assert all(block.items is None for block in transcript._document.blocks[560:590])
        for _ in range(120):
            transcript.action_page_down()
        assert app.lines() == before


async def test_what_the_user_opened_stays_open() -> None:
    source, _ = kept_chat(1_000)
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        transcript = app.transcript
        transcript.scroll_to(y=transcript._document.total // 2, animate=False)
        transcript.focus()
        block = transcript._document.blocks[
            transcript._document.heights.find(transcript._top)[0] // 6 * 6 + 1
        ]
        transcript._document.expand(block)
        unit = next(unit for unit in block.units if unit.part_index == 0)
        transcript._toggle(unit)
        for item in block.items or ():
            transcript._document.measure(item)
        opened = block.height
        for _ in range(200):
            transcript.action_page_up()
        assert block.units
        assert block.height == opened
        transcript.apply(MessagesReset())
        app.draw()
        again = transcript._document.blocks[block.index]
        transcript._document.expand(again)
        for item in again.items or ():
            transcript._document.measure(item)
        assert again.height == opened


async def test_reading_everything_anew_moves_nothing() -> None:
    source, _ = kept_chat(1_000)
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        transcript = app.transcript
        transcript.scroll_to(y=transcript._document.total // 2 + 3, animate=False)
        before = app.lines()
        more, _ = kept_chat(1_004)
        source.messages = more.messages
        transcript.apply(MessagesReset())
        app.draw()
        assert app.lines() == before
        assert not transcript.follow
        below = transcript._document.lines_after("m999")
        assert transcript._unseen == below > 0


async def test_the_rest_of_a_chat_comes_above_what_is_shown() -> None:
    tail, _ = kept_chat(60, first=940)
    whole, _ = kept_chat(1_000)
    app = TranscriptApp(tail)
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        before = app.lines()
        transcript.show_again(whole)
        assert app.lines() == before
        assert transcript.follow
        transcript.show_again(tail)
        transcript.focus()
        await pilot.pause(0)
        transcript.action_page_up()
        transcript.action_page_up()
        before, cursor = app.lines(), transcript.stop
        assert isinstance(cursor, Stop)
        transcript.show_again(whole)
        assert app.lines() == before
        assert transcript.stop is not None
        assert transcript.stop.key == cursor.key
        assert not transcript.follow
        assert transcript._document.message_count == 1_000


async def test_a_very_long_answer_is_split_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source, _ = kept_chat(3)
    recent = RecentlyRead()
    parts = [{"type": "text", "text": document(300_000, 1)}]
    source.messages.append(kept_of({"id": "long", "role": "assistant", "parts": parts}, recent))
    fed: list[int] = []
    feed = Splitter.feed
    monkeypatch.setattr(Splitter, "feed", lambda self, text: (fed.append(len(text)), feed(self, text)))
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        transcript = app.transcript
        transcript.action_page_up()
        before, once = app.lines(), sum(fed)
        assert once >= 300_000
        source.messages = [*kept_chat(5)[0].messages, source.messages[-1]]
        transcript.show_again(source)
        assert app.lines() == before
        assert sum(fed) - once < 10_000
        assert [item.base for item in transcript._document.blocks[5].items or ()] == sorted(
            item.base for item in transcript._document.blocks[5].items or ()
        )
        transcript.action_page_down()
        assert transcript.follow


async def test_a_damaged_copy_of_a_message_is_said_in_its_place() -> None:
    source, recent = kept_chat(4)
    damaged = kept(b'{"id":"m4","role":"assistant","parts":[{"type":"te', recent)
    assert damaged is not None
    source.messages.append(damaged)
    app = TranscriptApp(source)
    async with app.run_test(size=(110, 24)):
        assert "The copy of this message kept on this computer is damaged: it cannot be read." in app.shown()

"""What comes faster than it is drawn: a draw stays short, and shows what a draw of everything at once would."""

from __future__ import annotations

import random

import pytest
from rich.color import Color as Ink
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import MONOKAI
from textual.color import Color
from textual.filter import ANSIToTruecolor
from textual.strip import Strip

from kai_tui.conversation.messages import Message
from kai_tui.services.turn import Turn
from kai_tui.ui.transcript.splitter import Splitter
from kai_tui.ui.transcript.textual_private import filtered
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, answer, document_of, lines_of, text
from tests.ui.transcript.corpus import document

OFFER = "\n```next_actions\n- One\n- Two\n```\n"


def streaming() -> ChatSource:
    source = ChatSource(Message.user("u1", "Go"), answer(text("", streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    return source


async def test_it_is_split_as_it_comes_and_not_in_the_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    app = TranscriptApp(streaming())
    async with app.run_test(size=(80, 24)):
        app.grow(0, "Begin.\n\n")
        app.draw()
        fed: list[int] = []
        feed = Splitter.feed

        def noted(self: Splitter, delta: str) -> None:
            fed.append(len(delta))
            feed(self, delta)

        monkeypatch.setattr(Splitter, "feed", noted)
        for _ in range(60):
            app.grow(0, "More and more words.\n\n" * 50)
        whole = sum(fed)
        assert whole > 0.9 * 60 * 50 * len("More and more words.\n\n")
        app.draw()
        assert sum(fed) - whole < 2_000


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_it_is_shown_as_if_it_had_come_at_once(seed: int) -> None:
    chance = random.Random(seed)
    whole = document(12_000, seed) + OFFER
    app = TranscriptApp(source := streaming())
    async with app.run_test(size=(80, 24)):
        at = 0
        while at < len(whole):
            size = chance.choice((1, 4, 40, 700))
            app.grow(0, whole[at : at + size])
            at += size
            if chance.random() < 0.1:
                app.draw()
        app.draw()
        assert lines_of(app.transcript._document) == lines_of(document_of(source, 79))


def test_lines_that_name_their_colours_pass_the_filter_for_a_terminals_own_as_they_are() -> None:
    own = ANSIToTruecolor(MONOKAI)
    ground = Color.parse("black")
    true = Style(color=Ink.from_rgb(1, 2, 3), bgcolor=Ink.from_rgb(4, 5, 6), bold=True)
    strip = Strip([Segment("a", true), Segment("b", None), Segment("c", Style(italic=True))], 3)
    assert filtered(strip, own, ground) is strip
    for style in (Style(color="red"), Style(bgcolor="red"), true + Style(dim=True)):
        odd = Strip([Segment("a", true), Segment("b", style)], 2)
        assert list(filtered(odd, own, ground)) == own.apply(list(odd), ground) != list(odd)

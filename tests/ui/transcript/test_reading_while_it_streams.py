"""Who reads further up is left alone: whatever streams, grows or is resized."""

from __future__ import annotations

import pytest

from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.services.changes import PartChanged
from kai_tui.services.turn import Turn
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, answer, text, tool

SIZES = [(80, 24), (140, 45)]


def paragraphs(first: int, last: int) -> str:
    """Each begins with a word of its own."""
    return "".join(f"Number{number} " + "and some more words " * 9 + ".\n\n" for number in range(first, last))


def marks(app: TranscriptApp) -> list[str]:
    """The paragraphs whose beginning is on screen."""
    return [word for line in app.lines() for word in line.split() if word.startswith("Number")]


def streaming(*parts: dict[str, object]) -> ChatSource:
    source = ChatSource(Message.user("u1", "Go"), answer(*parts, text(paragraphs(0, 40), streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    return source


@pytest.mark.parametrize("size", SIZES)
async def test_the_top_line_stays_when_the_window_changes_during_a_stream(size: tuple[int, int]) -> None:
    app = TranscriptApp(streaming())
    async with app.run_test(size=size) as pilot:
        transcript = app.transcript
        for number in range(40, 80):
            app.grow(0, paragraphs(number, number + 1))
        app.draw()
        transcript.scroll_to(y=60, animate=False)
        place = transcript._document.place(60)
        assert place is not None
        line = transcript._document.rendered(place.item).lines[place.line]
        row, character = line.row, line.pieces[0].start if line.pieces else 0
        for step, width in enumerate((size[0] - 15, size[0] + 20, size[0] - 30, size[0])):
            app.grow(0, paragraphs(80 + step, 81 + step))
            await pilot.resize_terminal(width, size[1])
            await pilot.pause(0)
            app.draw()
            assert not transcript.follow
            top = transcript._document.place(transcript._top)
            assert top is not None
            assert top.item is place.item
            now = transcript._document.rendered(top.item).lines[top.line]
            assert now.row == row
            # The character that was at the top is on the line that is at the top now.
            start = now.pieces[0].start if now.pieces else 0
            assert start <= character
            assert not now.pieces or character <= max(piece.end for piece in now.pieces)


@pytest.mark.parametrize("size", SIZES)
async def test_a_card_above_that_grows_moves_nothing_that_is_read(size: tuple[int, int]) -> None:
    app = TranscriptApp(streaming(tool(state="input-available", input={"sql": "SELECT 1"})))
    async with app.run_test(size=size) as pilot:
        transcript = app.transcript
        assert app.source is not None
        message = app.source.messages[-1]
        card = message.parts[0]
        assert isinstance(card, ToolPart)
        transcript.scroll_to(y=40, animate=False)
        before, lines = marks(app), app.lines()
        assert before
        assert not transcript.follow
        unit = transcript._document.blocks[1].units[0]
        assert unit.toggle()
        for state, fields in (
            ("input-available", {"input": {"sql": "SELECT 1,\n" * 30}}),
            ("output-available", {"output": "region,amount\n" + "West,1\n" * 50}),
        ):
            card.fields["state"] = state
            card.fields.update(fields)
            transcript.apply(PartChanged(message.id, 0))
            app.grow(1, paragraphs(80, 82))
            app.draw()
            assert app.lines() == lines
        await pilot.pause(0)
        assert app.lines() == lines


async def test_new_lines_are_counted_and_wait_while_the_window_changes() -> None:
    app = TranscriptApp(streaming())
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        transcript.scroll_to(y=10, animate=False)
        before = marks(app)
        app.grow(0, paragraphs(40, 45))
        app.draw()
        counted = transcript._unseen
        assert counted >= 5
        await pilot.resize_terminal(100, 30)
        await pilot.pause(0)
        assert not transcript.follow
        assert transcript._unseen == counted, "a wider window brings no new lines"
        assert marks(app)[: len(before) - 1] == before[: len(before) - 1] or set(before) & set(marks(app))


async def test_parallel_calls_keep_their_order_whatever_order_they_end_in() -> None:
    calls = [
        tool(f"tool_{name}", "input-available", toolCallId=f"call-{name}", input={})
        for name in ("a", "b", "c")
    ]
    source = ChatSource(Message.user("u1", "Go"), answer(*calls))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        message = source.messages[-1]

        def names() -> list[str]:
            return [word for line in app.lines() for word in line.split() if word.startswith("tool_")]

        rows = len(app.lines())
        for index in (2, 0, 1):
            part = message.parts[index]
            assert isinstance(part, ToolPart)
            part.fields.update(state="output-available", output="ok")
            app.transcript.apply(PartChanged(message.id, index))
            app.draw()
            assert names() == ["tool_a", "tool_b", "tool_c"]
            assert len(app.lines()) == rows, "a card is updated where it stands"


async def test_the_cursor_that_ran_out_of_sight_is_where_one_looks_and_stays_there() -> None:
    app = TranscriptApp(streaming())
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        app.draw()
        transcript.focus()
        await pilot.pause(0)
        # More than a window came since the cursor was put on the newest block.
        app.grow(0, paragraphs(40, 80))
        app.draw()
        assert transcript.follow
        await pilot.press("up")
        app.draw()
        seen = marks(app)
        assert transcript.source_under_cursor.split()[0] in seen
        app.grow(0, paragraphs(80, 120))
        app.draw()
        assert marks(app) == seen
        assert not transcript.follow

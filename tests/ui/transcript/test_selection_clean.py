"""What the mouse selects is text: no borders, gutters, padding or soft breaks, whatever is drawn."""

from __future__ import annotations

import pytest
from textual import events
from textual.pilot import Pilot

from kai_tui.conversation.messages import Message
from kai_tui.ui.transcript.view import Transcript
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, answer, text, tool

LONG = "word " * 60
WIDE = "売上 は 先月 より 多い です。" * 8
TABLE = "| name | amount |\n|---|--:|\n| a very long name that needs room | 1 |\n| 売上 | 20 |"
CODE = "```sql\nSELECT *\n\tFROM t -- " + "x" * 90 + "\n```"


def moved(x: int, y: int) -> events.MouseMove:
    """The mouse moved down to there with its button held."""
    return events.MouseMove(None, x, y, 0, 4, 1, shift=False, meta=False, ctrl=False, screen_x=x, screen_y=y)


async def drag(pilot: Pilot[object], start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(Transcript, offset=start)
    await pilot.hover(Transcript, offset=((start[0] + end[0]) // 2, (start[1] + end[1]) // 2))
    await pilot.hover(Transcript, offset=end)
    await pilot.mouse_up(Transcript, offset=end)


def selected(app: TranscriptApp) -> str:
    return app.screen.get_selected_text() or ""


@pytest.mark.parametrize(
    ("source", "copied"),
    [
        (LONG, LONG.strip()),
        (WIDE, WIDE),
        (TABLE, "name\tamount\na very long name that needs room\t1\n売上\t20"),
        (CODE, "SELECT *\n\tFROM t -- " + "x" * 90),
        ("- one\n- two\n  1. three", "- one\n- two\n  1. three"),
        (f"> {LONG}\n> end", f"> {LONG.strip()}\n> end"),
        ("# Head\n\nText with **bold** and [a link](https://x.example)", "Head\n\nText with bold and a link"),
    ],
)
@pytest.mark.parametrize("width", [36, pytest.param(100, marks=pytest.mark.slow)])
async def test_a_whole_block_is_clean(source: str, copied: str, width: int) -> None:
    app = TranscriptApp(ChatSource(answer(text(source))))
    async with app.run_test(size=(width, 40)) as pilot:
        await drag(pilot, (0, 0), (width - 3, 38))
        assert selected(app) == copied


async def test_it_goes_on_over_cards_and_messages() -> None:
    app = TranscriptApp(
        ChatSource(
            Message.user("u1", "Question"),
            answer(tool(input={"sql_query": "SELECT 1"}, output=[{"n": 1}]), text("First"), id="a1"),
            Message.user("u2", "Next"),
            answer(text("Second"), id="a2"),
        )
    )
    async with app.run_test(size=(60, 24)) as pilot:
        await drag(pilot, (0, 0), (50, 20))
        lines = selected(app).split("\n")
        assert lines[0] == "Question"
        assert [line for line in lines if line] == [
            "Question",
            "query_data  SELECT 1",
            "First",
            "Next",
            "Second",
        ]
        assert not set("▌▎│─✓▸") & set(selected(app))


async def test_a_part_of_a_table_row_has_tabs_between_its_cells() -> None:
    app = TranscriptApp(ChatSource(answer(text("| a | b | c |\n|---|---|---|\n| one | two | three |"))))
    async with app.run_test(size=(60, 12)) as pilot:
        row = next(y for y, line in enumerate(app.lines()) if "one" in line)
        line = app.lines()[row]
        await drag(pilot, (line.index("ne"), row), (line.index("thr") + 2, row))
        assert selected(app) == "ne\ttwo\tthr"


async def test_wide_characters_are_taken_whole() -> None:
    app = TranscriptApp(ChatSource(answer(text("売上は高い"))))
    async with app.run_test(size=(60, 12)) as pilot:
        start = app.lines()[0].index("売")
        for left in (2, 3):
            for right in (6, 7):
                await drag(pilot, (start + left, 0), (start + right, 0))
                assert selected(app) == "上は高", (left, right)


async def test_what_scrolled_out_of_sight_is_still_selected() -> None:
    lines = "\n".join(f"line {number}" for number in range(200))
    app = TranscriptApp(ChatSource(answer(text(f"```\n{lines}\n```"))))
    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.scroll_to(y=0, animate=False)
        await pilot.pause()
        column = app.lines()[0].index("line 0")
        await pilot.mouse_down(Transcript, offset=(column, 0))
        await pilot.hover(Transcript, offset=(column, 5))
        # The wheel while the button is held: what is under the pointer is the end now.
        app.transcript.scroll_to(y=150, animate=False)
        await pilot.pause()
        under = int(app.lines()[5].rpartition(" ")[2])
        await pilot.mouse_up(Transcript, offset=(column + 7, 5))
        assert under > 100
        assert selected(app).split("\n")[:under] == [f"line {number}" for number in range(under)]


async def test_selecting_past_the_edge_scrolls_and_selects_on() -> None:
    lines = "\n".join(f"line {number}" for number in range(200))
    app = TranscriptApp(ChatSource(answer(text(f"```\n{lines}\n```"))))
    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.scroll_to(y=0, animate=False)
        await pilot.pause()
        column = app.lines()[0].index("line 0")
        await pilot.mouse_down(Transcript, offset=(column, 2))
        app.screen._forward_event(moved(column + 4, 11))
        for _ in range(400):
            await pilot.pause(0.01)
            if app.transcript.scroll_y > 20:
                break
        await pilot.mouse_up(Transcript, offset=(column + 4, 11))
        assert app.transcript.scroll_y > 20
        found = selected(app).split("\n")
        assert len(found) > 25
        assert found[:-1] == [f"line {number}" for number in range(2, len(found) + 1)]

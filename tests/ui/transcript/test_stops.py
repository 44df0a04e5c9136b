"""What the reading cursor stands on: blocks of an answer, cards, choices."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.messages import Message, TextPart
from kai_tui.services.changes import MessagesReset
from kai_tui.services.turn import Turn
from kai_tui.ui.transcript import stops
from kai_tui.ui.transcript.document import Document
from kai_tui.ui.transcript.items import Unit
from kai_tui.ui.transcript.stops import Stop
from tests.some import examples
from tests.ui.transcript.chat_source import (
    ChatSource,
    TranscriptApp,
    answer,
    document_of,
    lines_of,
    open_all,
    text,
    tool,
)
from tests.ui.transcript.corpus import document

PAGE = """# Orders

How they came.

- one
- two

```sql
SELECT 1
FROM t
```

| a | b |
|---|---|
| 1 | 2 |

Before a rule.

---

> said
> again

1. First

   ```py
   print(1)
   ```
2. Second
"""


def walked(unit: Unit) -> list[Stop]:
    """All stops of a unit, in order; the way back gives the same ones."""
    found: list[Stop] = []
    stop = stops.first_of(unit)
    while stop is not None:
        found.append(stop)
        stop = stops.after(stop)
    back: list[Stop] = []
    stop = stops.last_of(unit)
    while stop is not None:
        back.append(stop)
        stop = stops.before(stop)
    assert back[::-1] == found
    return found


def unit_of(document: Document, block: int = 0, unit: int = 0) -> Unit:
    document.expand(document.blocks[block])
    return document.blocks[block].units[unit]


def stops_of(content: str) -> list[Stop]:
    return walked(unit_of(document_of(ChatSource(answer(text(content))))))


def marked(app: TranscriptApp) -> list[str]:
    """The lines the cursor stands along."""
    return [re.split(r" {5,}", line[1:].strip())[0] for line in app.lines() if line.startswith("▌")]


def test_every_block_of_an_answer_is_a_stop_with_its_own_source() -> None:
    found = stops_of(PAGE)
    assert [(stop.kind, stop.source()) for stop in found] == [
        ("paragraph", "# Orders\n\nHow they came."),
        ("list", "- one\n- two"),
        ("code", "SELECT 1\nFROM t"),
        ("table", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("paragraph", "Before a rule."),
        ("quote", "> said\n> again"),
        ("list", "1. First"),
        ("code", "print(1)"),
        ("list", "2. Second"),
    ]
    assert [stop.language for stop in found if stop.kind == "code"] == ["sql", "py"]


def test_blocks_that_were_cut_into_several_items_are_one_stop() -> None:
    code = "\n".join(f"line {number}" for number in range(200))
    rows = "\n".join(f"| {number} | x |" for number in range(100))
    points = "\n".join(f"- point number {number} of a long list of points" for number in range(60))
    content = f"```py\n{code}\n```\n\n| a | b |\n|---|---|\n{rows}\n\n{points}\n\nEnd."
    found = stops_of(content)
    assert [stop.kind for stop in found] == ["code", "table", "list", "paragraph"]
    assert found[0].source() == code
    assert found[1].source() == f"| a | b |\n|---|---|\n{rows}"
    assert found[2].source() == points
    assert all(len(stop.items) > 1 for stop in found[:3])


def test_a_paragraph_without_an_end_is_one_stop() -> None:
    words = "word " * 3_000
    found = stops_of(f"{words}\n\nNext.")
    assert [stop.source().strip() for stop in found] == [words.strip(), "Next."]


def test_odd_line_ends_do_not_shift_what_is_copied() -> None:
    found = stops_of("One\r\n\r\nTwo\u2028two\r\n\r\n- a\r\n- b\x85\r\n\r\nLast")
    assert [stop.source().strip() for stop in found] == ["One", "Two\u2028two", "- a\r\n- b", "Last"]


@examples(150)
@given(st.lists(st.sampled_from(["# H\n", "\n", "text\n", "- a\n", "1. b\n", "  c\n", "> q\n", "---\n", "```py\n",
    "x = 1\n", "   ```\n", "| a | b |\n", "|---|---|\n", "| 1 | 2 |\n", "\r", "w " * 400, "[a]: http://x.y\n"]), max_size=40))  # fmt: skip
def test_stops_cover_rows_in_order_and_none_twice(lines: list[str]) -> None:
    document = document_of(ChatSource(answer(text("".join(lines)))))
    unit = unit_of(document)
    seen: set[tuple[int, int]] = set()
    for stop in walked(unit):
        rows = [
            (index, row)
            for index, item in enumerate(unit.items)
            for row in range(len(document.texts_of(item)))
            if stop.covers(item, row - (1 if unit.block.gap_before(item) else 0))
        ]
        assert rows
        assert not seen & set(rows)
        assert not seen or min(rows) > max(seen)
        seen |= set(rows)
        assert stops.find(unit, stop.start) == stop
        assert stops.again(stop) == stop
        item, row = rows[-1]
        gap = 1 if unit.block.gap_before(unit.items[item]) else 0
        assert stops.at_row(unit.items[item], row - gap) == stop


def test_what_an_opened_card_shows_can_be_reached_by_itself() -> None:
    call = tool(
        input={"sql_query": "SELECT a\nFROM t", "query_name": "x"},
        output=[{"id": "1", "name": "n"}, {"id": "2", "name": "m"}],
    )
    document = document_of(ChatSource(answer(call)))
    unit = unit_of(document)
    assert [stop.kind for stop in walked(unit)] == ["card"]
    open_all(document)
    found = walked(unit)
    assert [stop.kind for stop in found] == ["card", "code", "code", "table"]
    assert found[1].source() == "SELECT a\nFROM t"
    assert found[1].language == "sql"
    assert found[3].source() == "id\tname\n1\tn\n2\tm"
    assert "query_data" in found[0].source()
    assert lines_of(document)


def reply(content: str) -> ChatSource:
    source = ChatSource(Message.user("u1", "Go"), answer(text(content, streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    return source


@pytest.mark.parametrize("seed", [1, 5])
async def test_the_cursor_stays_on_its_block_while_the_reply_streams(seed: int) -> None:
    content = f"# Top\n\nThe marked one.\n\n{document(5_000, seed)}"
    source = reply("")
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        app.grow(0, content[:40])
        app.draw()
        app.transcript.focus()
        await pilot.pause(0)
        app.transcript.action_scroll_home()
        app.transcript.action_cursor_down()
        app.transcript.follow = False
        before = marked(app)
        assert before == ["Kai   Top", "", "The marked one."]
        for at in range(40, len(content), 97):
            app.grow(0, content[at : at + 97])
            app.draw()
            assert marked(app) == before
        stop = app.transcript.stop
        assert stop is not None
        assert stop.source() == "# Top\n\nThe marked one."
        await pilot.resize_terminal(50, 24)
        await pilot.pause(0)
        assert marked(app)[-1] == "The marked one."


async def test_the_cursor_stays_on_its_block_when_the_message_is_read_anew() -> None:
    source = ChatSource(Message.user("u1", "Go"), answer(text(PAGE)))
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 40)) as pilot:
        app.transcript.focus()
        await pilot.pause(0)
        while (stop := app.transcript.stop) is None or stop.kind != "table":
            app.transcript.action_cursor_up()
        before = marked(app)
        source.messages[:] = [Message.user("u1", "Go"), answer(text(PAGE + "\nMore.\n"))]
        app.transcript.apply(MessagesReset())
        app.draw()
        assert marked(app) == before
        assert app.transcript.stop is not None
        assert app.transcript.stop.kind == "table"


async def test_the_mark_stands_along_its_lines_only_and_copies_its_source() -> None:
    app = TranscriptApp(ChatSource(answer(text(PAGE))))
    async with app.run_test(size=(80, 40)) as pilot:
        app.transcript.focus()
        await pilot.pause(0)
        app.transcript.action_scroll_home()
        seen: list[list[str]] = []
        for _ in range(9):
            seen.append(marked(app))
            app.transcript.action_cursor_down()
        assert seen[0] == ["Kai   Orders", "", "How they came."]
        assert seen[1] == ["• one", "• two"]
        assert seen[2] == ["sql", "SELECT 1", "FROM t"]
        assert seen[4] == ["Before a rule."]
        assert seen[6] == ["1. First"]
        assert seen[7] == ["py", "print(1)"]
        assert seen[8] == ["2. Second"]
        await pilot.press("up", "c")
        copied: Any = app.said[-1]
        assert copied.text == "print(1)"


def test_a_long_streamed_block_costs_the_cursor_no_more_the_longer_it_is() -> None:
    """Bringing the cursor up to date reads its first and last item, not all of them."""
    part = {"type": "text", "text": "```\n" + "x\n" * 10_000, "state": "streaming"}
    source = ChatSource(answer(part))
    document = document_of(source)
    unit = unit_of(document)
    stop = stops.first_of(unit)
    assert stop is not None
    for item in unit.items:
        item.pieces = None
    grown = source.messages[0].parts[0]
    assert isinstance(grown, TextPart)
    grown.append("y\n" * 100)
    document.sync_part(document.blocks[0], 0)
    later = stops.again(stop)
    assert later is not None
    assert later.same(stop)
    assert sum(item.pieces is not None for item in unit.items) < 10


async def test_what_one_walks_to_does_not_run_away_while_the_reply_streams() -> None:
    source = reply("\n\n".join(f"Paragraph {number}." for number in range(40)))
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.focus()
        await pilot.pause(0)
        assert app.transcript.follow
        await pilot.press("up", "up")
        assert not app.transcript.follow
        before = app.lines()
        for number in range(20):
            app.grow(0, f"\n\nMore {number}.")
            app.draw()
        assert app.lines()[:22] == before[:22]
        await pilot.press("end")
        assert app.transcript.follow
        await pilot.press("up", "down")
        assert app.transcript.follow, "the newest block again"

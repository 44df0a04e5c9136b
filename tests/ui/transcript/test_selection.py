"""Selecting, copying, links and the cursor."""

from textual.geometry import Offset
from textual.selection import SELECT_ALL, Selection

from kai_tui.conversation.messages import Message
from kai_tui.services.turn import Turn
from kai_tui.ui.transcript.view import Transcript
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, answer, strips, text, tool
from tests.ui.transcript.corpus import document

PROSE = (
    "The quick brown fox jumps over the lazy dog and keeps running until the evening comes.\n\n- one\n- two\n"
)


def selected(app: TranscriptApp) -> str | None:
    return app.screen.get_selected_text()


async def test_dragging_selects_text_without_padding_or_soft_breaks() -> None:
    app = TranscriptApp(ChatSource(answer(text(PROSE))))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.mouse_down(Transcript, offset=(12, 0))
        await pilot.hover(Transcript, offset=(20, 1))
        await pilot.hover(Transcript, offset=(30, 4))
        await pilot.mouse_up(Transcript, offset=(30, 4))
        assert app.lines()[1].strip()
        assert selected(app) == (
            "quick brown fox jumps over the lazy dog and keeps running until the evening comes.\n\n- one\n- two"
        )
        assert app.said == []


async def test_a_selection_from_the_margin_and_below_the_end() -> None:
    app = TranscriptApp(ChatSource(Message.user("u1", "Question"), answer(text("Answer"))))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.mouse_down(Transcript, offset=(1, 0))
        await pilot.hover(Transcript, offset=(5, 10))
        await pilot.hover(Transcript, offset=(5, 15))
        await pilot.mouse_up(Transcript, offset=(5, 15))
        assert selected(app) == "Question\n\nAnswer"


async def test_the_selection_is_drawn_where_it_is() -> None:
    app = TranscriptApp(ChatSource(answer(text("你好 brave new world"))))
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.transcript
        base = transcript._document.blocks[0].items[0].base
        app.screen.selections = {transcript: Selection(Offset(1, base), Offset(5, base))}
        await pilot.pause(0)
        ground = transcript._current_palette().selection.bgcolor
        marked = "".join(
            segment.text
            for segment in strips(transcript)[0]
            if segment.style and segment.style.bgcolor == ground
        )
        assert marked == "好 br"


async def test_a_selection_stays_true_while_the_reply_streams_and_the_window_changes() -> None:
    source = ChatSource(Message.user("u1", "Go"), answer(text("", streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 30)) as pilot:
        content = document(6_000, 4)
        app.grow(0, content[:900])
        app.draw()
        items = app.transcript._document.blocks[1].items
        assert items is not None
        first = items[0].base
        last = items[-1]
        row = last.base + len(app.transcript._document.rendered(last).rows) - 1
        app.screen.selections = {app.transcript: Selection(Offset(0, first), Offset(3, row))}
        before = selected(app)
        assert before
        for at in range(900, len(content), 50):
            app.grow(0, content[at : at + 50])
            app.draw()
        assert selected(app) == before
        await pilot.resize_terminal(50, 30)
        await pilot.pause(0)
        assert selected(app) == before


async def test_everything_can_be_selected() -> None:
    app = TranscriptApp(
        ChatSource(
            Message.user("u1", "Q"), answer(text("# H\n\n```py\n\tx\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |"))
        )
    )
    async with app.run_test(size=(80, 30)):
        app.screen.selections = {app.transcript: SELECT_ALL}
        assert selected(app) == "Q\n\nH\n\n\tx\n\na\tb\n1\t2"


async def test_double_click_selects_a_word_and_triple_a_paragraph() -> None:
    app = TranscriptApp(ChatSource(answer(text(PROSE))))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.click(Transcript, offset=(13, 0), times=2)
        assert selected(app) == "quick"
        await pilot.click(Transcript, offset=(13, 0), times=3)
        assert selected(app) == PROSE.split("\n")[0]


async def test_a_click_on_a_link_says_so_and_opens_nothing() -> None:
    app = TranscriptApp(ChatSource(answer(text("Go [there](https://a.example/x) now"))))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.click(Transcript, offset=(9, 0))
        assert app.said == []
        await pilot.click(Transcript, offset=(12, 0))
        assert [item.href for item in app.said if isinstance(item, Transcript.LinkChosen)] == [
            "https://a.example/x"
        ]


async def test_the_cursor_walks_over_parts_and_copies_their_source() -> None:
    app = TranscriptApp(
        ChatSource(
            Message.user("u1", "Question"),
            answer(tool(input={"sql_query": "SELECT 1"}, output="x"), text("**Bold** answer")),
        )
    )
    async with app.run_test(size=(60, 20)) as pilot:
        app.transcript.focus()
        await pilot.pause(0)
        assert [line for line in app.lines() if line.startswith("▌")] == ["▌       Bold answer"]
        await pilot.press("c")
        copied = [item for item in app.said if isinstance(item, Transcript.CopyRequested)]
        assert copied[-1].text == "**Bold** answer"
        await pilot.press("up")
        assert next(line for line in app.lines() if line.startswith("▌")).startswith("▌ Kai   ✓ query_data")
        await pilot.press("up", "c")
        copied = [item for item in app.said if isinstance(item, Transcript.CopyRequested)]
        assert copied[-1].text == "Question"
        await pilot.press("down", "down", "down")
        assert next(line for line in app.lines() if line.startswith("▌")) == "▌       Bold answer"
        app.screen.set_focus(None)
        await pilot.pause(0)
        assert not any(line.startswith("▌") for line in app.lines())


async def test_the_cursor_goes_through_tall_parts_step_by_step() -> None:
    messages = [Message.user("u1", "Top"), answer(text(document(6_000, 3))), Message.user("u2", "Bottom")]
    app = TranscriptApp(ChatSource(*messages))
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.focus()
        await pilot.pause(0)
        steps = 0
        while (cursor := app.transcript._cursor) is None or cursor.source() != "Top":
            before = {line.lstrip("▌ ") for line in app.lines() if line.strip()}
            app.transcript.action_cursor_up()
            # Every step leaves something in sight to hold on to.
            assert before & {line.lstrip("▌ ") for line in app.lines()}
            steps += 1
            assert steps < 60
        assert "Top" in app.shown()
        app.transcript.action_scroll_end()
        assert app.transcript.follow
        app.transcript.action_scroll_home()
        assert app.transcript.scroll_y == 0

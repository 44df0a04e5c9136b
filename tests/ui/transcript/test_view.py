"""The widget with a chat that changes under it."""

import pytest

from kai_tui.conversation.events import Finish
from kai_tui.conversation.messages import Message, part_from_wire
from kai_tui.services.changes import MessageChanged, MessagesReset, PartChanged, TurnChanged
from kai_tui.services.turn import Turn
from kai_tui.ui.themes import LIGHT
from kai_tui.ui.transcript.view import Transcript
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, all_lines, answer, strips, text, tool
from tests.ui.transcript.corpus import document

SIZES = [(80, 24), (140, 45)]


def long_chat(messages: int = 20) -> ChatSource:
    found: list[Message] = []
    for number in range(messages):
        found.append(Message.user(f"u{number}", f"Question {number}"))
        found.append(answer(text(document(1_500, number)), id=f"a{number}"))
    return ChatSource(*found)


def streaming_chat() -> ChatSource:
    source = ChatSource(Message.user("u1", "Go"), answer(text("", streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    return source


@pytest.mark.parametrize("size", SIZES)
async def test_shows_a_conversation_at_its_end(size: tuple[int, int]) -> None:
    source = ChatSource(Message.user("u1", "Which region?"), answer(text("**West** sold most.")))
    app = TranscriptApp(source)
    async with app.run_test(size=size):
        shown = app.shown()
        assert "  You ▌ Which region?" in shown
        assert "  Kai   West sold most." in shown


@pytest.mark.parametrize("size", SIZES)
async def test_every_strip_is_as_wide_as_the_window(size: tuple[int, int]) -> None:
    source = long_chat(3)
    source.messages.append(answer(text("你好 " * 200 + "👩‍💻 " * 50 + "❤️ é́ 🇨🇿")))
    app = TranscriptApp(source)
    async with app.run_test(size=size) as pilot:
        transcript = app.transcript
        for _ in range(40):
            for strip in strips(transcript):
                assert strip.cell_length == sum(segment.cell_length for segment in strip)
                assert strip.cell_length in (
                    transcript.size.width,
                    transcript.scrollable_content_region.width,
                )
            transcript.action_page_up()
        await pilot.pause(0)
        assert transcript.scroll_y == 0


@pytest.mark.parametrize("size", SIZES)
async def test_the_end_is_followed_until_the_user_scrolls_up(size: tuple[int, int]) -> None:
    app = TranscriptApp(streaming_chat())
    async with app.run_test(size=size) as pilot:
        transcript = app.transcript
        for number in range(80):
            app.grow(0, f"Line number {number}.\n\n")
            app.draw()
        assert transcript.follow
        assert "Line number 79." in app.shown()
        transcript.action_page_up()
        assert not transcript.follow
        before = app.lines()
        for number in range(80, 120):
            app.grow(0, f"Line number {number}.\n\n")
            app.draw()
        assert app.lines() == before
        await pilot.pause(0)
        told = [item for item in app.said if isinstance(item, Transcript.FollowChanged)]
        assert told[0].following is False
        assert told[-1].new_lines >= 40
        transcript.jump_to_end()
        assert "Line number 119." in app.shown()
        await pilot.pause(0)
        assert isinstance(last := app.said[-1], Transcript.FollowChanged)
        assert (last.following, last.new_lines) == (True, 0)


async def test_scrolling_back_to_the_end_follows_again() -> None:
    app = TranscriptApp(long_chat())
    async with app.run_test(size=(80, 24)):
        transcript = app.transcript
        transcript.action_page_up()
        assert not transcript.follow
        transcript.action_page_down()
        transcript.action_page_down()
        assert transcript.follow


async def test_paging_up_and_down_shows_every_line_once() -> None:
    app = TranscriptApp(long_chat(8))
    async with app.run_test(size=(80, 24)):
        transcript = app.transcript
        transcript.scroll_to(y=0, animate=False)
        seen: list[str] = []
        height = transcript.size.height
        while not transcript.follow:
            top = transcript.scroll_offset.y
            assert top == len(seen)
            seen += app.lines()
            transcript.scroll_to(y=top + height, animate=False)
            if transcript.scroll_offset.y != top + height:
                seen += app.lines()[top + height - transcript.scroll_offset.y :]
        assert seen == all_lines(transcript)


async def test_scrolling_up_moves_nothing_else() -> None:
    app = TranscriptApp(long_chat())
    async with app.run_test(size=(80, 24)):
        transcript = app.transcript
        for _ in range(60):
            before = app.lines()
            transcript.scroll_to(y=transcript.scroll_offset.y - 5, animate=False)
            assert app.lines()[5:] == before[:-5]


@pytest.mark.parametrize("width", [40, 60, 140])
async def test_resizing_keeps_the_top_line(width: int) -> None:
    app = TranscriptApp(long_chat())
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        transcript.scroll_to(y=200, animate=False)
        top = next(line for line in app.lines() if line.strip())
        await pilot.resize_terminal(width, 24)
        await pilot.pause(0)
        words = top.split()[:2]
        assert all(word in " ".join(app.lines()[:4]) for word in words)
        assert not transcript.follow


async def test_resizing_at_the_end_stays_at_the_end() -> None:
    app = TranscriptApp(long_chat(4))
    async with app.run_test(size=(80, 24)) as pilot:
        last = app.lines()[-1]
        await pilot.resize_terminal(100, 30)
        await pilot.pause(0)
        assert app.transcript.follow
        assert app.lines()[-1].split()[-1] == last.split()[-1]


@pytest.mark.some(2)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", [1, 2])
async def test_streaming_equals_loading(size: tuple[int, int], seed: int) -> None:
    content = document(8_000, seed)
    app = TranscriptApp(streaming_chat())
    async with app.run_test(size=size):
        assert app.source is not None
        for at in range(0, len(content), 37):
            app.grow(0, content[at : at + 37])
            if at % 5 == 0:
                app.draw()
        app.draw()
        app.source.turn = Turn("finished", "stop")
        app.source.messages[-1].parts[0].fields["state"] = "done"
        app.transcript.apply(MessageChanged("a1"))
        app.draw()
        streamed = all_lines(app.transcript)
        app.source.messages[-1] = answer(text(content))
        app.transcript.apply(MessagesReset())
        app.draw()
        assert all_lines(app.transcript) == streamed


async def test_only_the_live_tail_is_drawn_again() -> None:
    app = TranscriptApp(streaming_chat())
    async with app.run_test(size=(80, 24)):
        app.grow(0, document(20_000))
        app.draw()
        before = app.transcript._document.renders
        for _ in range(20):
            app.grow(0, "word ")
            app.draw()
        assert app.transcript._document.renders - before <= 21


async def test_a_delta_costs_nothing_until_the_tick() -> None:
    app = TranscriptApp(streaming_chat())
    async with app.run_test(size=(80, 24)):
        before = app.transcript._document.renders
        change = PartChanged("a1", 0)
        for _ in range(1_000):
            app.transcript.apply(change)
        assert app.transcript._document.renders == before
        assert list(app.transcript._parts) == [("a1", 0)]


async def test_ten_thousand_messages_draw_only_what_is_seen() -> None:
    found: list[Message] = []
    for number in range(5_000):
        found.append(Message.user(f"u{number}", f"Question {number}"))
        found.append(answer(text(f"Answer {number}\n\n- a\n- b\n\nMore."), id=f"a{number}"))
    app = TranscriptApp(ChatSource(*found))
    async with app.run_test(size=(80, 24)):
        document_ = app.transcript._document
        assert document_.renders < 40
        assert sum(block.items is not None for block in document_.blocks) < 40
        assert "Answer 4999" in app.shown()
        app.transcript.scroll_to(y=document_.total // 2, animate=False)
        assert document_.renders < 100
        app.transcript.action_scroll_home()
        assert "Question 0" in app.shown()


async def test_new_messages_and_new_ids() -> None:
    app = TranscriptApp(ChatSource())
    async with app.run_test(size=(80, 24)):
        assert app.source is not None
        app.add(Message.user("u1", "Hello"))
        app.source.deliveries["u1"] = "sending"
        app.draw()
        assert "↑ sending…" in app.shown()
        app.source.deliveries["u1"] = "sent"
        app.transcript.apply(MessageChanged("u1"))
        app.add(answer(text("Hi", streaming=True), id="draft"))
        app.source.turn = Turn("streaming", started=99.0, last_event=100.0)
        app.draw()
        assert "sending" not in app.shown()
        app.source.messages[-1].id = "server"
        app.transcript.apply(MessageChanged("server", old_id="draft"))
        app.grow(0, " there")
        app.draw()
        assert "Hi there" in app.shown()


async def test_parts_appear_and_a_thrown_away_step_vanishes() -> None:
    app = TranscriptApp(streaming_chat())
    async with app.run_test(size=(80, 24)):
        assert app.source is not None
        message = app.source.messages[-1]
        app.grow(0, "First.")
        message.parts.append(part_from_wire(tool(input={"sql_query": "SELECT 1"}, state="input-available")))
        app.transcript.apply(PartChanged("a1", 1))
        app.draw()
        assert "● query_data" in app.shown()
        del message.parts[1:]
        app.transcript.apply(MessageChanged("a1"))
        app.draw()
        assert "query_data" not in app.shown()
        assert "First." in app.shown()


@pytest.mark.parametrize(
    ("finish", "line"),
    [
        (Finish("cancelled"), "■ stopped"),
        (Finish("lost", detail="Connection lost."), "✗ cut off: Connection lost."),
        (Finish("error", detail="Model overloaded"), "✗ Model overloaded"),
        (Finish("length"), "■ cut off: the answer reached its greatest length"),
        (Finish("stop"), None),
    ],
)
async def test_how_an_answer_ended(finish: Finish, line: str | None) -> None:
    message = answer(text("Some text"))
    message.finish = finish
    app = TranscriptApp(ChatSource(message))
    async with app.run_test(size=(80, 24)):
        if line is None:
            assert [one for one in app.lines() if one] == ["  Kai   Some text"]
        else:
            assert line in app.shown()


async def test_errors_of_a_stream_are_said_once() -> None:
    message = answer(text("Some text"))
    message.errors = ["Overloaded", "Overloaded"]
    message.finish = Finish("error", detail="Overloaded")
    app = TranscriptApp(ChatSource(message))
    async with app.run_test(size=(80, 24)):
        assert app.shown().count("✗ Overloaded") == 1


async def test_why_a_message_was_not_sent() -> None:
    source = ChatSource(Message.user("u1", "Hello"), Message.user("u2", "Again"))
    source.deliveries = {"u1": "not-sent", "u2": "unsure"}
    source.reasons = {"u1": "No network.", "u2": "The server did not answer."}
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        assert "✗ not sent: No network." in app.shown()
        assert "? unsure whether it arrived: The server did not answer." in app.shown()


async def test_what_the_assistant_is_doing_is_said_while_nothing_else_shows() -> None:
    source = ChatSource(Message.user("u1", "Hello"))
    source.turn = Turn("sending", started=97.0)
    app = TranscriptApp(source, clock=100.0)
    async with app.run_test(size=(80, 24)):
        assert "Kai is thinking… 3 s" in app.shown()
        app.now = 105.0
        app.draw()
        assert "Kai is thinking… 8 s" in app.shown()
        app.add(answer(text("Hi", streaming=True)))
        source.turn = Turn("streaming", started=97.0, last_event=105.0)
        app.draw()
        assert "thinking" not in app.shown()
        app.now = 109.0
        app.draw()
        assert "Kai is thinking… 4 s" in app.shown()
        source.turn = Turn("streaming", started=97.0, last_event=109.0, status="Searching")
        app.now = 112.0
        app.draw()
        assert "Searching 3 s" in app.shown()
        source.turn = Turn("finished", "stop")
        app.transcript.apply(TurnChanged())
        app.draw()
        assert "3 s" not in app.shown()


async def test_an_empty_chat_welcomes() -> None:
    app = TranscriptApp(ChatSource())
    async with app.run_test(size=(80, 24)):
        app.transcript.set_welcome(["Ask about your project", "Which tables are there?"])
        assert "Ask about your project" in app.shown()
        assert "→ Which tables are there?" in app.shown()
        app.add(Message.user("u1", "Hello"))
        app.draw()
        assert "Which tables" not in app.shown()
        assert "Hello" in app.shown()


async def test_a_vote_is_a_mark_beside_the_name() -> None:
    source = ChatSource(answer(text("Yes")))
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        source.votes["a1"] = True
        app.transcript.apply(MessageChanged("a1"))
        app.draw()
        assert "Kai ▲ Yes" in app.shown()


async def test_a_narrow_window_puts_names_above() -> None:
    app = TranscriptApp(ChatSource(Message.user("u1", "Hello"), answer(text("Hi"))))
    async with app.run_test(size=(40, 24)):
        assert [line for line in app.lines() if line] == ["  You", " ▌Hello", "  Kai", "  Hi"]


async def test_another_theme_changes_colours_and_nothing_else() -> None:
    app = TranscriptApp(long_chat(2))
    async with app.run_test(size=(80, 24)) as pilot:
        before = strips(app.transcript)
        app.theme = LIGHT
        await pilot.pause(0)
        after = strips(app.transcript)
        assert [strip.text for strip in after] == [strip.text for strip in before]
        assert after != before


async def test_showing_nothing_and_another_chat() -> None:
    app = TranscriptApp(long_chat(2))
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.show(None)
        await pilot.pause(0)
        assert not app.shown().strip()
        app.transcript.show(ChatSource(Message.user("x", "Other chat")))
        assert "Other chat" in app.shown()


async def test_a_closed_turn_that_goes_on_elsewhere_is_drawn_anew() -> None:
    """A message read back from the server is another object with the same id."""
    app = TranscriptApp(ChatSource(answer(text("Old"))))
    async with app.run_test(size=(80, 24)):
        assert app.source is not None
        app.source.messages[0] = answer(text("New"))
        app.transcript.apply(MessageChanged("a1"))
        app.draw()
        assert "New" in app.shown()
        assert "Old" not in app.shown()


async def test_a_change_of_focus_draws_nothing_again() -> None:
    app = TranscriptApp(long_chat(2))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0)
        before = app.transcript._document.renders
        app.transcript.focus()
        await pilot.pause(0)
        app.screen.set_focus(None)
        await pilot.pause(0)
        assert app.transcript._document.renders == before


async def test_the_scrollbar_is_not_drawn_anew_for_every_line_that_comes() -> None:
    app = TranscriptApp(streaming_chat())
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        for number in range(400):
            app.grow(0, f"Line number {number}.\n\n")
        app.draw()
        await pilot.pause(0)
        bar = transcript.vertical_scrollbar
        drawn = 0
        refresh = bar.refresh

        def counted(*args: object, **options: object) -> object:
            nonlocal drawn
            drawn += 1
            return refresh()

        bar.refresh = counted  # type: ignore[method-assign,assignment]
        for number in range(100):
            app.grow(0, f"Line number {400 + number}.\n\n")
            app.draw()
        assert drawn <= 6
        assert bar.window_virtual_size == transcript.virtual_size.height
        assert bar.position == transcript.scroll_y
        transcript.scroll_to(y=5, animate=False)
        assert bar.position == 5

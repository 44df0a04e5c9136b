"""Questions that were asked again, quotes of forked chats, and the word on asking again."""

from __future__ import annotations

import pytest

from kai_tui.conversation.events import Finish, FinishReason
from kai_tui.conversation.messages import Message
from kai_tui.conversation.quoting import quote_chat, with_quote
from kai_tui.services.changes import MessageAdded, MessageChanged
from kai_tui.services.turn import Turn
from kai_tui.ui.transcript.document import Document
from tests.ui.transcript.chat_source import (
    ChatSource,
    TranscriptApp,
    answer,
    document_of,
    lines_of,
    text,
    tool,
)

HOSTILE = "\x1b]52;c;aGk=\x07[b]bold[/b] \u202eevil"


def chat() -> ChatSource:
    """A pair that was superseded, and the pair that took its place."""
    source = ChatSource(
        Message.user("q1", "Which region?\nReally."),
        answer(tool(output={"ok": True}), text("West.\n\nA long answer."), id="a1"),
        Message.user("q2", "Which region, and why?"),
        answer(text("North."), id="a2"),
    )
    source.superseded = {"q1", "a1"}
    return source


def under_cursor(app: TranscriptApp) -> str | None:
    message = app.transcript.message_under_cursor
    return message.id if message is not None else None


def total_is_true(document: Document) -> bool:
    return document.total == len(lines_of(document))


def toggle_first(document: Document, index: int) -> None:
    block = document.blocks[index]
    document.expand(block)
    assert block.units[0].toggle()
    document.sync(block)


def test_the_line_of_a_superseded_answer_is_read_not_markdown() -> None:
    source = chat()
    source.messages[0] = Message.user("q1", "Why **now**?")
    source.messages[1] = answer(
        text("You have **9 tables** in `4` buckets:\n\n| a | b |\n|---|--:|\n| x | 1 |"), id="a1"
    )
    lines = lines_of(document_of(source))
    # What a user writes is no markdown.
    assert "▸ superseded  Why **now**?" in lines[0]
    assert "▸ superseded  You have 9 tables in 4 buckets: a b x 1" in lines[1]


def test_a_superseded_pair_is_two_lines_together() -> None:
    document = document_of(chat())
    lines = lines_of(document)
    assert "▸ superseded  Which region? Really." in lines[0]
    assert "▸ superseded  West. A long answer." in lines[1]
    assert lines[2] == ""
    assert "Which region, and why?" in lines[3]
    assert not any("query_data" in line for line in lines)
    assert total_is_true(document)


def test_it_opens_and_closes_each_for_itself() -> None:
    document = document_of(chat())
    folded = lines_of(document)
    toggle_first(document, 1)
    opened = lines_of(document)
    assert any("query_data" in line for line in opened)
    assert any("A long answer." in line and "superseded" not in line for line in opened)
    assert total_is_true(document)
    toggle_first(document, 0)
    assert any(line.endswith("Really.") for line in lines_of(document))
    assert total_is_true(document)
    toggle_first(document, 1)
    toggle_first(document, 0)
    assert lines_of(document) == folded
    assert total_is_true(document)


def test_it_is_opened_and_closed_from_the_end_too() -> None:
    document = document_of(chat())
    document.measure_end(100)
    for _ in range(2):
        for index in (0, 1, 0, 1):
            toggle_first(document, index)
    assert total_is_true(document)


async def test_a_pair_is_folded_when_its_question_is_asked_again_and_comes_back_when_that_fails() -> None:
    source = chat()
    source.superseded = set()
    source.messages = source.messages[:2]
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        app.draw()
        assert "A long answer." in app.shown()
        assert "superseded" not in app.shown()
        source.superseded = {"q1", "a1"}
        source.messages.append(Message.user("q2", "again"))
        for change in (MessageAdded("q2"), MessageChanged("q1"), MessageChanged("a1")):
            app.transcript.apply(change)
        app.draw()
        assert app.shown().count("superseded") == 2
        source.superseded = set()
        for change in (MessageChanged("q1"), MessageChanged("a1"), MessageChanged("q2")):
            app.transcript.apply(change)
        app.draw()
        assert "superseded" not in app.shown()
        assert "A long answer." in app.shown()


async def test_the_cursor_stays_on_the_line_it_opens() -> None:
    app = TranscriptApp(chat())
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.focus()
        await pilot.pause()
        await pilot.press("home")
        assert under_cursor(app) == "q1"
        await pilot.press("down")
        assert under_cursor(app) == "a1"
        before = app.transcript._cursor
        await pilot.press("enter")
        assert app.transcript._cursor == before
        assert "A long answer." in app.shown()
        await pilot.press("enter")
        assert app.transcript._cursor == before
        assert under_cursor(app) == "a1"


def test_what_is_superseded_is_dim_and_harmless() -> None:
    source = ChatSource(Message.user("q1", HOSTILE), answer(text(HOSTILE), id="a1"))
    source.superseded = {"q1", "a1"}
    document = document_of(source)
    for _ in range(2):
        shown = "\n".join(lines_of(document))
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "[b]bold[/b]" in shown
        toggle_first(document, 0)
        toggle_first(document, 1)


# Quotes


def forked(delivery: str | None = None) -> ChatSource:
    quote = quote_chat("Old", [Message.user("x", "old question"), answer(text("old answer"))]).text
    source = ChatSource(Message.user("q", with_quote(quote, "new question") if delivery is None else quote))
    if delivery is not None:
        source.deliveries["q"] = "draft"
    return source


def test_the_quote_of_a_sent_message_is_one_line() -> None:
    document = document_of(forked())
    lines = lines_of(document)
    assert "▸ quoted from an earlier chat" in lines[0]
    assert "characters" in lines[0]
    assert any(line.endswith("new question") for line in lines)
    assert not any("old answer" in line for line in lines)
    assert total_is_true(document)
    toggle_first(document, 0)
    lines = lines_of(document)
    assert any("> old answer" in line for line in lines)
    assert any("[End of the quote]" in line for line in lines)
    assert any(line.endswith("▌ new question") for line in lines)
    assert total_is_true(document)


def test_before_it_is_sent_all_of_it_is_on_screen() -> None:
    document = document_of(forked("draft"))
    shown = "\n".join(lines_of(document))
    assert "> old question" in shown
    assert "> old answer" in shown
    assert "not sent yet: goes in front of your first message" in shown
    toggle_first(document, 0)
    assert "old answer" not in "\n".join(lines_of(document))


# Asking again


@pytest.mark.parametrize("reason", ["cancelled", "lost", "error"])
def test_a_failed_answer_says_how_to_ask_again_while_it_is_the_last(reason: FinishReason) -> None:
    failed = answer(text("half"))
    failed.finish = Finish(reason)
    source = ChatSource(Message.user("q", "x"), failed)
    assert any("Ctrl+S asks again" in line for line in lines_of(document_of(source)))
    source.turn = Turn("sending")
    assert not any("asks again" in line for line in lines_of(document_of(source)))
    source.turn = Turn()
    source.messages += [Message.user("q2", "y"), answer(text("z"), id="a2")]
    assert not any("asks again" in line for line in lines_of(document_of(source)))


def test_a_good_answer_says_nothing_of_it() -> None:
    good = answer(text("all"))
    good.finish = Finish("stop")
    assert not any("asks again" in line for line in lines_of(document_of(ChatSource(good))))

"""Documents being written, sub-agents at work, sources with their words (imbrace.md §4, knowrithm.md §8)."""

from __future__ import annotations

from typing import Any

import pytest

from kai_tui.backends.imbrace.live_parts import LiveDocument, LiveSubAgent
from kai_tui.conversation.events import Data, Finish
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message, Part, part_from_wire
from kai_tui.services.changes import PartChanged, TurnChanged
from kai_tui.services.turn import Countdown, Turn
from kai_tui.ui.transcript.document import Document
from kai_tui.ui.transcript.view import Transcript
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, document_of, lines_of

HOSTILE = "\x1b]52;c;x\x07[red]Report[/] \u202egpj.exe"


def answering(*events: Data) -> tuple[Message, FoldState]:
    message, state = Message("a1", "assistant"), FoldState()
    for event in events:
        fold(message, event, state)
    return message, state


def written(
    text: str = "", *, kind: str = "text", title: str = "Plan", state: Any = "streaming"
) -> LiveDocument:
    document = LiveDocument("d-1")
    document.title, document.kind, document.state = title, kind, state
    document.content.append(text)
    return document


def shown(message: Message, *, live: bool = False) -> tuple[ChatSource, Document]:
    source = ChatSource(message)
    if live:
        source.turn = Turn("streaming")
    else:
        message.finish = message.finish or Finish("stop")
    return source, document_of(source)


def first(document: Document):
    document.expand(document.blocks[0])
    return document.blocks[0].units[0]


def opened(document: Document) -> list[str]:
    unit = first(document)
    assert unit.toggle()
    document.sync(document.blocks[0])
    return lines_of(document)


async def test_a_document_grows_in_one_card_and_is_read_where_it_stands() -> None:
    live = written("# Plan\n\nFirst we ")
    message, state = answering(live.event())
    source = ChatSource(message)
    source.turn = Turn("streaming")
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 14)) as pilot:
        assert "● Plan  text  First we" in app.lines()[0]
        assert "writing  4 words ▸" in app.lines()[0]
        view = app.query_one(Transcript)
        view.focus()
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert any("First we" in line for line in app.lines()[1:])
        live.content.append("count the **orders**.\n\nThen we rest.\n")
        fold(message, live.event(), state)
        view.apply(PartChanged("a1", 0))
        await pilot.pause(0.1)
        assert any("First we count the orders." in line for line in app.lines())
        live.state = "done"
        fold(message, live.event(), state)
        message.finish = Finish("stop")
        source.turn = Turn("finished", "stop")
        view.apply(PartChanged("a1", 0))
        view.apply(TurnChanged())
        await pilot.pause(0.1)
        assert app.lines()[0].rstrip().endswith("10 words ▾")
        assert "✓ Plan" in app.lines()[0]
        assert any("Then we rest." in line for line in app.lines())
        assert len(message.parts) == 1


def test_a_document_that_is_written_anew_shows_only_the_new_text() -> None:
    live = written("Old words that go.")
    message, state = answering(live.event())
    _, document = shown(message, live=True)
    assert any("Old words" in line for line in opened(document))
    live.content.replace("Newer and rather longer than the old ones were.")
    fold(message, live.event(), state)
    document.sync(document.blocks[0])
    lines = lines_of(document)
    assert not any("Old words" in line for line in lines)
    assert any("Newer and rather longer" in line for line in lines)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (written("a,b\n1,2\n3,4\n", kind="sheet", state="done"), ["✓ Plan  table", "3 lines", "3", "4"]),
        (written("print(1)\n", kind="code", state="done"), ["✓ Plan  code", "1 line", "print(1)"]),
        (written("aGVsbG8=", kind="image", state="done"), ["picture", "cannot be shown here"]),
        (written("text", kind="x-new", state="done"), ["x-new", "text"]),
        (written("Half a", state="cut"), ["✗ Plan", "cut off", "Half a"]),
        (written("", state="done"), ["only the title", "kept on the server"]),
        (written("", title=""), ["A document", "Nothing is written yet."]),
    ],
)
def test_kinds_and_states(document: LiveDocument, words: list[str]) -> None:
    message, _ = answering(document.event())
    _, drawn = shown(message, live=document.state == "streaming")
    text = " ".join(" ".join(opened(drawn)).split())
    for each in words:
        each = " ".join(each.split())
        assert each in text


def test_a_document_whose_stream_is_gone_is_not_called_being_written() -> None:
    message, _ = answering(written("Half a").event())
    message.finish = Finish("lost")
    _, document = shown(message)
    assert "cut off" in lines_of(document)[0]


def test_a_document_is_copied_as_its_text() -> None:
    message, _ = answering(written("# Plan\n\nWords.", state="done").event())
    _, document = shown(message)
    assert first(document).source() == "# Plan\n\nWords."


def sub_agent() -> LiveSubAgent:
    agent = LiveSubAgent("s-1")
    agent.name = "Researcher"
    agent.call("c-1", "search")
    return agent


def test_a_sub_agent_is_one_line_that_says_what_it_does() -> None:
    agent = sub_agent()
    message, state = answering(agent.event())
    _, document = shown(message, live=True)
    assert lines_of(document)[0].split("Kai", 1)[1].split() == [
        "●", "Researcher", "uses", "search", "at", "work", "1", "call", "▸",
    ]  # fmt: skip
    agent.called("c-1")
    agent.text.append("Looking at boards.\nThere are 3 boards.")
    agent.state = "done"
    fold(message, agent.event(), state)
    document.sync(document.blocks[0])
    line = lines_of(document)[0]
    assert "✓ Researcher  There are 3 boards." in line
    text = "\n".join(opened(document))
    assert "✓ search" in text
    assert "Looking at boards." in text


def test_a_sub_agent_that_failed_says_why() -> None:
    agent = sub_agent()
    agent.state, agent.error = "failed", "Its board is locked."
    message, _ = answering(agent.event())
    _, document = shown(message)
    assert "✗ Researcher  Its board is locked." in lines_of(document)[0]


def source_part(**fields: Any) -> Part:
    return part_from_wire(
        {
            "type": "source-document",
            "sourceId": "s",
            "mediaType": "text/plain",
            "title": "sales.xlsx",
            **fields,
        }
    )


def test_a_source_has_its_number_and_its_words_open_below_it() -> None:
    message = Message("a1", "assistant", [source_part(number=2, excerpt="north 10\nsouth 20", cited=True)])
    _, document = shown(message)
    assert "▸ [2] sales.xlsx" in lines_of(document)[0]
    text = "\n".join(opened(document))
    assert "north 10" in text
    assert "south 20" in text
    assert first(document).source().startswith("sales.xlsx")


def test_a_source_without_words_does_not_open_and_one_that_was_not_cited_says_so() -> None:
    message = Message("a1", "assistant", [source_part(number=1, cited=False)])
    _, document = shown(message)
    assert "[1] sales.xlsx  not cited" in lines_of(document)[0]
    assert not first(document).toggle()


@pytest.mark.parametrize(
    "data", [None, "text", [1], {}, {"title": 5, "content": None, "calls": "x", "state": []}]
)
@pytest.mark.parametrize("kind", ["data-document", "data-sub-agent"])
def test_data_that_is_something_else_is_no_reason_to_fail(kind: str, data: object) -> None:
    message = Message("a1", "assistant", [part_from_wire({"type": kind, "id": "1", "data": data})])
    _, document = shown(message)
    assert lines_of(document)
    assert opened(document)


@pytest.mark.parametrize("kind", ["text", "code", "sheet", "other"])
def test_hostile_documents_and_sub_agents_are_shown_not_obeyed(kind: str) -> None:
    agent = sub_agent()
    agent.name = agent.error = HOSTILE
    agent.text.append(HOSTILE)
    agent.call("c-2", HOSTILE)
    message, _ = answering(written(HOSTILE, kind=kind, title=HOSTILE, state="done").event(), agent.event())
    _, document = shown(message)
    document.expand(document.blocks[0])
    for unit in document.blocks[0].units:
        unit.toggle()
    document.sync(document.blocks[0])
    text = "\n".join(lines_of(document))
    assert "[red]Report[/]" in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_what_the_server_still_writes_is_said_under_the_last_message(role: Any) -> None:
    message = Message("m1", role, [part_from_wire({"type": "text", "text": "Half"})])
    if role == "assistant":
        message.finish = Finish("cancelled")
    source = ChatSource(message)
    document = document_of(source)
    source.turn = Turn(
        "finished", "cancelled", countdown=Countdown("server-writes", "m1", document.around.clock() - 65)
    )
    document.sync(document.blocks[0])
    text = "\n".join(lines_of(document))
    assert "● still being written on the server: 1 min 5 s · F5 looks now" in text
    assert "asks again" not in text

"""Foreign text on every surface of the transcript: nothing of it acts on the terminal (P11)."""

import json
from pathlib import Path
from typing import Any

import pytest
from textual.selection import SELECT_ALL

from kai_tui.conversation.messages import Message
from kai_tui.services.turn import Turn
from tests.fixture_cases import case_id, cases
from tests.ui.transcript.chat_source import (
    ChatSource,
    TranscriptApp,
    all_lines,
    answer,
    document_of,
    lines_of,
    open_all,
    strips,
    text,
    tool,
)

EVIL = (
    "\x1b]52;c;aGk=\x07 \x1b[2J \x9b31m \x90q\x9c \x00\x08\x0e\x7f \u202eabc\u202c \u2066x\u2069 \u200e\u200f\u061c "
    "\ufeff\u2028\u2029\x85 \U000e0041\U000e007f [red]markup[/nope] [@click=app.quit]x[/] \ud800 a"
    + "\u0301"
    * 40
)
FORBIDDEN = (
    {chr(point) for point in (*range(0x20), 0x7F, *range(0x80, 0xA0))}
    | set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\u200e\u200f\u2028\u2029\ufeff")
    | {chr(point) for point in range(0xE0000, 0xE0080)}
    | {chr(point) for point in range(0xD800, 0xE000)}
)


def everywhere(evil: str) -> ChatSource:
    """The same text as prose, code, table, link, thought, tool name, argument, result, error, title, …"""
    prose = (
        f"{evil}\n\n# {evil}\n\n- {evil}\n\n> {evil}\n\n`{evil}`\n\n[{evil}](http://x/{evil})\n\n![{evil}](http://y)\n\n"
        f"| {evil} | b |\n|---|---|\n| 1 | {evil} |\n\n```{evil}\n{evil}\n```\n\n```python\n{evil}\n```\n\n"
        f"```next_actions\n- {evil}\n```\n&#27;[31m &#x202e; &#x9b;1m"
    )
    message = answer(
        {"type": "reasoning", "text": evil, "state": "done"},
        tool(evil, input={evil: evil, "sql": f"{evil}\n{evil}"}, output={evil: [evil]}),
        tool("x", input=[evil], output=f"{evil}\n{evil}"),
        tool("y", input=evil, output=[{"a": evil, evil: 1}]),
        tool("z", "output-error", input={"query": evil}, errorText=evil),
        text(prose),
        {"type": "source-url", "sourceId": "s", "url": f"http://{evil}", "title": evil},
        {"type": "file", "mediaType": evil, "url": f"http://{evil}", "filename": evil},
        {"type": f"data-{evil}", "data": evil},
        {"type": evil, "x": evil},
    )
    message.errors = [evil]
    from kai_tui.conversation.events import Finish

    message.finish = Finish("lost", detail=evil)
    source = ChatSource(Message.user("u1", evil), message)
    source.deliveries = {"u1": "not-sent"}
    source.reasons = {"u1": evil}
    return source


def leaked(content: str) -> set[str]:
    return set(content) & FORBIDDEN


async def test_nothing_gets_out_on_any_surface() -> None:
    app = TranscriptApp(everywhere(EVIL))
    async with app.run_test(size=(80, 40)) as pilot:
        transcript = app.transcript
        all_lines(transcript)
        open_all(transcript._document)
        for line in all_lines(transcript):
            assert leaked(line) == set()
        assert any("[red]markup[/nope]" in line for line in all_lines(transcript))
        transcript.action_scroll_home()
        while not transcript.follow:
            for strip in strips(transcript):
                assert strip.cell_length == sum(segment.cell_length for segment in strip)
            transcript.action_page_down()
        await pilot.pause(0)
        app.screen.selections = {transcript: SELECT_ALL}
        copied = app.screen.get_selected_text() or ""
        assert leaked(copied) <= {"\n", "\t"}


async def test_an_activity_line_is_foreign_too() -> None:
    source = ChatSource(Message.user("u1", "x"))
    source.turn = Turn("streaming", started=90.0, last_event=90.0, status=EVIL)
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        assert all(leaked(line) == set() for line in app.lines())


async def test_cut_in_the_middle_of_a_sequence() -> None:
    """Filtering happens on joined text, so halves in two deltas change nothing."""
    source = ChatSource(answer(text("", streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        for character in EVIL:
            app.grow(0, character)
            app.draw()
            assert all(leaked(line) == set() for line in app.lines())


def foreign_text(case: dict[str, Any]) -> str:
    """Whatever text a case of the corpus brings."""
    brought = case.get("input", case.get("chunks", case.get("args", "")))
    if isinstance(brought, list):
        return "".join(str(piece) for piece in brought)
    return brought if isinstance(brought, str) else json.dumps(brought, ensure_ascii=False)


@pytest.mark.some(25)
@pytest.mark.parametrize("path", cases("hostile", "*.json"), ids=case_id)
def test_the_hostile_corpus_gets_out_nowhere(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    document = document_of(everywhere(foreign_text(case)), 100)
    forbidden = FORBIDDEN - set("".join(case["must_show"]) if case.get("false_positive") else "")
    lines_of(document)
    open_all(document)
    assert all(set(line).isdisjoint(forbidden) for line in lines_of(document))


@pytest.mark.parametrize("path", [path for path in cases("hostile", "*.json") if json.loads(path.read_text("utf-8"))["surface"] == "prose"], ids=case_id)  # fmt: skip
def test_the_hostile_corpus_as_prose(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    document = document_of(ChatSource(answer(text(foreign_text(case)))), 200)
    shown = "\n".join(line[8:] for line in lines_of(document))
    for wanted in case["must_show"]:
        assert wanted in shown
    for banned in (*case["must_not_emit"], *case["must_not_show"]):
        assert banned not in shown
    for point in case["must_show_codepoints"]:
        assert point in shown


@pytest.mark.some(3)
@pytest.mark.parametrize(
    "content",
    ["![![![" * 3_000, "[" * 5_000, "*_" * 5_000, "> " * 3_000 + "x", "|" * 9_000, "`" * 9_000, "- " * 4_000 + "x", "\n" * 20_000],
)  # fmt: skip
async def test_texts_made_to_be_slow_are_shown(content: str) -> None:
    app = TranscriptApp(ChatSource(answer(text(content), text("THE END"))))
    async with app.run_test(size=(80, 24)):
        assert "THE END" in app.shown()

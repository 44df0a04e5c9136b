"""What a copied message and a copied chat say: the source, exactly, and who said it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.chat_text import call_source, chat_pieces, has_calls, last_answer, message_source
from kai_tui.conversation.messages import Message, ToolPart, part_from_wire
from tests.some import examples

SOURCE = "# Title\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```sql\nSELECT 1\n```\n\n1. *one*  \n2. [two](https://x.example)"


def answer(*parts: dict[str, object], id: str = "a1") -> Message:
    return Message(id, "assistant", [part_from_wire(part) for part in parts])


def text(content: str) -> dict[str, object]:
    return {"type": "text", "text": content, "state": "done"}


def tool(**fields: object) -> dict[str, object]:
    return {"type": "tool-query_data", "toolCallId": "c1", "state": "output-available", **fields}


def test_an_answer_is_copied_exactly_as_it_was_written() -> None:
    assert message_source(answer(text(SOURCE))) == SOURCE


@examples(100)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_whatever_was_written_is_copied(content: str) -> None:
    assert message_source(answer(text(content))) == content.strip("\n")


def test_tool_calls_come_when_asked_for() -> None:
    message = answer(
        text("First."),
        tool(input={"sql_query": "SELECT 1", "#token": "hush"}, output=[{"n": 1}]),
        text("Then."),
    )
    assert has_calls(message)
    assert message_source(message) == "First.\n\nThen."
    whole = message_source(message, calls=True)
    assert whole.startswith("First.\n\nTool query_data: done, 1 item\n\nArguments:\n```json\n{")
    assert '"sql_query": "SELECT 1"' in whole
    assert "hush" not in whole
    assert whole.endswith('Result:\n```json\n[\n  {\n    "n": 1\n  }\n]\n```\n\nThen.')


def test_nothing_in_a_result_closes_its_fence() -> None:
    part = part_from_wire(tool(input={}, output="a\n```\nTool x: done\n````"))
    assert isinstance(part, ToolPart)
    assert call_source(part).endswith("Result:\n`````\na\n```\nTool x: done\n````\n`````")


def test_thoughts_are_not_what_was_said() -> None:
    message = answer({"type": "reasoning", "text": "hm", "state": "done"}, text("Yes."))
    assert message_source(message, calls=True) == "Yes."


def test_a_chat_says_who_said_what_and_tool_calls_in_a_word() -> None:
    messages = [
        Message.user("u1", "How many?"),
        answer(tool(input={"sql_query": "SELECT"}, output=[{"n": 1}, {"n": 2}]), text(SOURCE), id="a1"),
        answer(tool(state="output-error", errorText="no"), id="a2"),
        answer({"type": "reasoning", "text": "hm", "state": "done"}, id="a3"),
    ]
    pieces = list(
        chat_pieces(
            "My\nchat",
            messages,
            assistant="Kai",
            note=lambda message: "asked again later" if message.id == "u1" else "",
            denied=lambda _: True,
        )
    )
    assert "\n\n".join(pieces) == (
        "# My chat\n\n## You (asked again later)\n\nHow many?\n\n"
        f"## Kai\n\n*(tool query_data: done, 2 items)*\n\n{SOURCE}\n\n"
        "## Kai\n\n*(tool query_data: denied)*"
    )


def test_the_last_answer_is_the_last_one_with_words() -> None:
    first = answer(text("Words"), id="a1")
    assert last_answer([first, Message.user("u", "x"), answer(tool(), id="a2")]) is first
    assert last_answer([Message.user("u", "x")]) is None

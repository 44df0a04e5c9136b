"""Suggested next steps: which texts end in choices, and that nothing else ever does."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kai_tui.conversation.choices import LONGEST, MOST, ChoiceWatch, choices_of
from kai_tui.conversation.events import Finish, FinishReason
from kai_tui.conversation.messages import Message, part_from_wire
from tests.some import examples


def text_part(text: str, *, streaming: bool = False) -> dict[str, object]:
    return {"type": "text", "text": text, "state": "streaming" if streaming else "done"}


def answer(*parts: dict[str, object] | str, role: str = "assistant") -> Message:
    wire = [text_part(part) if isinstance(part, str) else part for part in parts]
    return Message("a", role, [part_from_wire(part) for part in wire])  # type: ignore[arg-type]


def offered(*parts: dict[str, object] | str) -> list[str]:
    return [choice.text for choice in choices_of(answer(*parts))]


BLOCK = "```next_actions\n- One\n- Two\n```"
TOOL: dict[str, object] = {
    "type": "tool-query_data", "toolCallId": "c", "state": "output-available", "input": {}, "output": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"Done.\n\n{BLOCK}", ["One", "Two"]),
        (f"Done.\n{BLOCK}\n\n  \n\t\n", ["One", "Two"]),
        (BLOCK, ["One", "Two"]),
        (f"Done.\n\n{BLOCK}".replace("\n", "\r\n") + "\r\n", ["One", "Two"]),
        ("```next_actions\n* One\n*   Two  \n  - Three\n```", ["One", "Two", "Three"]),
        ("```next_actions\n\n- One\n-\n- \n```", ["One"]),
        ("```next_actions\n```", []),
        ("~~~next_actions\n- ```sql\n~~~", ["```sql"]),
        ("   ```` next_actions title=x\n- One\n````", ["One"]),
        ("```next_actions\n- **Show** `it` <b>\n- - nested", ["**Show** `it` <b>", "- nested"]),
        ("- a\n- b\n\n" + BLOCK, ["One", "Two"]),
        ("```sql\nSELECT 1\n```\n" + BLOCK, ["One", "Two"]),
        (f"{BLOCK}\n```next_actions\n- Three\n```", ["Three"]),
        ("1. a\n\n   ```sql\n   SELECT\n   ```\n\n" + BLOCK, ["One", "Two"]),
    ],
)
def test_the_last_block_is_the_choices(text: str, found: list[str]) -> None:
    assert offered(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Steps:\n\n- One\n- Two",  # ordinary bullets are never eaten
        f"{BLOCK}\nand so on",
        f"{BLOCK}\n```sql\nSELECT 1\n```",
        "```\n- One\n```",
        "```Next_Actions\n- One\n```",
        "```next_actions_2\n- One\n```",
        "```next_actions\nChoose:\n- One\n```",
        "```next_actions\n1. One\n```",
        "```next_actions\n-One\n```",
        "`` next_actions\n- One\n``",
        "    ```next_actions\n    - One\n    ```",
        "> ```next_actions\n> - One\n> ```",
        "````md\n```next_actions\n- One\n```\n````",
        "```md\n```next_actions\n- One",
        "```next_actions `x`\n- One\n```",
        "```next_actions\n" + "- x\n" * (MOST + 1) + "```",
        "```next_actions\n- " + "x" * (LONGEST + 1) + "\n```",
        "next_actions\n- One",
    ],
)
def test_everything_else_is_text(text: str) -> None:
    assert offered(text) == []
    watch = ChoiceWatch()
    watch.feed(text)
    watch.finish(keep_open=True)
    assert watch.prose == len(text)


def test_the_last_text_of_the_answer_decides() -> None:
    assert offered(BLOCK, "\n ", {"type": "source-url", "sourceId": "1", "url": "https://x"}) == [
        "One",
        "Two",
    ]
    assert offered({"type": "step-start"}, TOOL, BLOCK) == ["One", "Two"]
    assert offered(BLOCK, "More.") == []
    assert offered(BLOCK, TOOL) == []
    assert choices_of(answer(BLOCK, role="user")) == ()
    assert choices_of(Message("a")) == ()


@pytest.mark.parametrize(
    ("reason", "closed", "count"),
    [
        ("stop", False, 2),
        ("lost", False, 0),
        ("cancelled", False, 0),
        ("length", False, 0),
        ("lost", True, 2),
    ],
)
def test_a_block_that_may_have_been_cut_in_the_middle_of_an_item_offers_nothing(
    reason: FinishReason, closed: bool, count: int
) -> None:
    message = answer(
        text_part(BLOCK if closed else "```next_actions\n- One\n- Delete the old ta", streaming=True)
    )
    message.finish = Finish(reason)
    assert len(choices_of(message)) == count


def test_while_the_turn_runs_only_a_closed_block_counts() -> None:
    growing = answer(text_part("```next_actions\n- One\n", streaming=True))
    assert choices_of(growing, running=True) == ()
    assert len(choices_of(growing)) == 1
    assert len(choices_of(answer(text_part(BLOCK + "\n", streaming=True)), running=True)) == 2


@pytest.mark.parametrize(
    "item",
    [
        "a\u202eb", "zero\u200bwidth", "tab\there", "\u00a0edge", "esc\x1b[31m", "x" * 301, "a" + " " * 20 + "b",
        "line\u2028end", "\ud83d", "e" + "\u0301" * 20, "cr\rhere",
    ],
)  # fmt: skip
def test_what_is_not_shown_as_it_would_be_sent_is_not_sent_at_once(item: str) -> None:
    (choice,) = choices_of(answer(f"```next_actions\n- {item}\n```"))
    assert choice.text == item.strip(" \t")
    assert not choice.sendable
    assert "\x1b" not in choice.shown


def test_plain_items_are_sent_as_they_are_shown() -> None:
    (choice,) = choices_of(answer("```next_actions\n-   Why did “Orders” fail? 🎉 你好  \n```"))
    assert choice.text == "Why did “Orders” fail? 🎉 你好"
    assert choice.sendable
    assert choice.shown == choice.text


LINES = st.sampled_from(
    [
        "", " ", "text", "- item", "* item", "```next_actions", "~~~ next_actions", "```", "````", "~~~", "```sql",
        "   ```", "    ```", "- ", "`tick`", "``next_actions``", "```next_actions x", "```next_actions `", "\r",
        "- item\r", "```\r", "1. one", "- " + "w" * 5000, "```next", "|a|",
    ]
)  # fmt: skip
TEXTS = st.builds(
    lambda lines, end: "\n".join(lines) + end, st.lists(LINES, max_size=14), st.sampled_from(["", "\n"])
)


def watched(text: str, cuts: list[int]) -> tuple[ChoiceWatch, list[int]]:
    watch = ChoiceWatch()
    held: list[int] = []
    last = 0
    for cut in sorted(cut % (len(text) + 1) for cut in cuts):
        watch.feed(text[last:cut])
        held.append(watch.prose)
        last = cut
    watch.feed(text[last:])
    held.append(watch.prose)
    return watch, held


@given(TEXTS, st.lists(st.integers(0, 100_000), max_size=30), st.booleans())
@examples(300)
@example("x\n```next_actions\n- a\n```", list(range(40)), True)
@example("```next_actions\n- " + "w" * 5000, [4020, 4200, 4500], True)
def test_where_deltas_are_cut_changes_nothing_and_nothing_shown_is_taken_back(
    text: str, cuts: list[int], keep_open: bool
) -> None:
    watch, held = watched(text, cuts)
    watch.finish(keep_open=keep_open)
    whole, _ = watched(text, [])
    whole.finish(keep_open=keep_open)
    assert (watch.choices, watch.prose) == (whole.choices, whole.prose)
    assert held == sorted(held)
    assert held[-1] <= watch.prose <= len(text)


@given(TEXTS)
@examples(300)
def test_what_is_cut_off_is_nothing_but_fence_bullets_and_blanks(text: str) -> None:
    watch, _ = watched(text, [])
    watch.finish(keep_open=True)
    cut = text[watch.prose :]
    lines = [line.strip() for line in cut.split("\n") if line.strip()]
    if not cut:
        assert watch.choices == ()
        return
    assert "next_actions" in lines[0]
    items = [line for line in lines[1:] if line[0] in "-*" and line not in ("-", "*")]
    assert [line[1:].strip() for line in items] == [choice.text for choice in watch.choices]
    assert {line[0] for line in lines[1:] if line not in items} <= set("`~-*")


def test_a_long_text_is_read_in_linear_time() -> None:
    watch = ChoiceWatch()
    for _ in range(20_000):
        watch.feed("word " * 10)
    watch.feed("\n" + BLOCK + "\n")
    assert len(watch.choices) == 2
    assert watch.prose == 20_000 * 50 + 1

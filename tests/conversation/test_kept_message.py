"""Messages kept as text (issue 6, Long): the same message as one read at once, and few of them read at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation import kept_message
from kai_tui.conversation.kept_message import KeptMessage, RecentlyRead, kept, kept_of
from kai_tui.conversation.messages import DataPart, Message, TextPart, same_call
from kai_tui.conversation.usage import tokens_in

TEXT = st.text(st.characters(), max_size=20)
CALL = st.builds(
    lambda name, call_id, state, output: {
        "type": f"tool-{name}",
        "toolCallId": call_id,
        "state": state,
        "input": {"a": output},
        "output": output,
    },
    TEXT,
    st.sampled_from(["c1", "c2", 'c"3', "c\\4", "ü"]),
    st.sampled_from(["output-available", "output-error", "output-denied", "input-available", "odd"]),
    TEXT | st.just({"toolCallId": "c1"}),
)
PART = (
    st.builds(lambda text: {"type": "text", "text": text}, TEXT)
    | CALL
    | st.just({"type": "data-usage"})
    | TEXT
)
WIRE: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "id": TEXT,
        "role": st.sampled_from(["user", "assistant", "system", "other"]),
        "parts": st.lists(PART, max_size=4),
    },
    optional={"metadata": st.none() | st.dictionaries(TEXT, TEXT, max_size=2), "createdAt": TEXT},
)


def wire(number: int, text: str = "words", **more: Any) -> dict[str, Any]:
    return {"id": f"m{number}", "role": "assistant", "parts": [{"type": "text", "text": text}], **more}


def many(count: int, **more: Any) -> tuple[list[KeptMessage], RecentlyRead]:
    recent = RecentlyRead()
    found = [kept_of(wire(number, **more), recent) for number in range(count)]
    assert all(isinstance(each, KeptMessage) for each in found)
    return found, recent  # pyright: ignore[reportReturnType]


@given(WIRE)
def test_it_is_the_message_that_reading_it_at_once_would_give(raw: dict[str, Any]) -> None:
    plain, lazy = Message.from_wire(raw), kept_of(raw, RecentlyRead())
    assert (lazy.id, lazy.role, lazy.finish, lazy.errors, lazy.faults) == (plain.id, plain.role, None, [], [])
    ids = ("c1", 'c"3', "c\\4", "ü")
    assert [lazy.calls_any((each,)) for each in ids] == [plain.calls_any((each,)) for each in ids]
    assert list(lazy.settled_calls()) == list(plain.settled_calls())
    assert lazy.mentions("data-usage") or "data-usage" not in json.dumps(raw)
    assert lazy.to_wire() == plain.to_wire()
    assert lazy.text == plain.text
    assert lazy.metadata == plain.metadata
    assert lazy.extra == plain.extra
    assert [type(each) for each in lazy.parts] == [type(each) for each in plain.parts]
    assert len(lazy.tool_calls()) == len(plain.tool_calls())
    assert lazy.to_wire() == plain.to_wire()


@pytest.mark.parametrize("call_id", [{}, {"toolCallId": 5}, {"toolCallId": ""}])
def test_a_call_without_an_id_is_found_by_none(call_id: dict[str, Any]) -> None:
    part = {"type": "tool-query", "state": "output-available", "input": {}, "output": "toolCallId", **call_id}
    raw = {"id": "m", "role": "assistant", "parts": [part]}
    assert Message.from_wire(raw).calls_any(("",))
    assert kept_of(raw, RecentlyRead()).calls_any(("",))


def test_a_walk_through_a_long_chat_leaves_few_messages_read() -> None:
    messages, recent = many(1_000)
    assert recent.reads == 0
    assert all(each.text == "words" for each in messages)
    assert sum(each.is_read for each in messages) == len(recent) == kept_message.MOST_READ
    assert messages[-1].is_read


def test_long_messages_count_for_more() -> None:
    messages, _ = many(6, text="x" * 1_500_000)
    for each in messages:
        assert each.text
    assert sum(each.is_read for each in messages) == 2


def test_what_is_asked_of_every_message_of_a_chat_reads_none() -> None:
    messages, recent = many(500)
    assert tokens_in(messages).total == 0
    assert not any(each.calls_any({"c"}) or each.tool_calls() or each.settled_calls() for each in messages)
    assert recent.reads == 0


def test_what_was_changed_or_is_held_is_not_forgotten() -> None:
    messages, _ = many(1_000)
    changed, held = messages[0], messages[1]
    changed.parts.append(TextPart({"type": "text", "text": "more"}))
    held.held += 1
    parts = held.parts
    for each in messages:
        assert each.text
    assert changed.text == "words\n\nmore"
    assert changed.text_now() is None
    assert held.parts is parts
    assert not messages[2].is_read


@pytest.mark.parametrize(
    "state", ["approval-requested", "approval-responded", "input-available", "input-streaming"]
)
def test_a_message_with_which_something_can_happen_is_read_at_once(state: str) -> None:
    call = {"type": "tool-a", "toolCallId": "c", "state": state, "input": {}}
    message = kept_of({"id": "m", "role": "assistant", "parts": [call]}, RecentlyRead())
    assert type(message) is Message


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"nothing", b'{"id":', b"\xff", b'{"id":"a","role":"nobody"', b"[" * 9_999]
)
def test_what_is_no_object_is_no_message(text: bytes) -> None:
    assert kept(text, RecentlyRead()) is None


@pytest.mark.parametrize(
    "text",
    [
        b'{"role":"user","id":"a","parts":[]}',
        b' {"id":"a","role":"user"}',
        b'{"id":"a","role":"u","parts":5}',
        b"{}",
    ],
)
def test_another_form_is_read_at_once(text: bytes) -> None:
    message = kept(text, RecentlyRead())
    assert message is not None
    assert message.to_wire() == Message.from_wire(json.loads(text)).to_wire()


def test_a_damaged_text_is_said_in_its_place() -> None:
    message = kept(b'{"id":"a","role":"user","parts":[{"type":"te', RecentlyRead())
    assert message is not None
    assert message.id == "a"
    assert [each.type for each in message.parts] == ["unreadable-copy"]


def test_words_that_are_escaped_may_be_there() -> None:
    part = {"type": "tool-x", "toolCallId": "c", "state": "output-available", "output": '{"\\u0072unId":"1"}'}
    message = kept_of({"id": "m", "role": "assistant", "parts": [part]}, RecentlyRead())
    assert message.mentions("runId")


def test_the_same_text_is_the_same_message_and_a_changed_one_is_not() -> None:
    (one,), _ = many(1)
    (two,), _ = many(1)
    (other,), _ = many(1, text="other")
    assert one.same_as(two)
    assert not one.same_as(other)
    assert not one.same_as(Message.from_wire(wire(0)))
    two.parts.append(DataPart({"type": "data-x"}))
    assert not one.same_as(two)


def test_a_call_that_was_read_twice_is_the_same_call() -> None:
    part = {"type": "tool-x", "toolCallId": "c", "state": "output-available", "output": "1"}
    (message,), _ = many(1, parts=[part])
    call = message.tool_calls()[0]
    message.forget()
    again = message.tool_calls()[0]
    assert again is not call
    assert same_call(again, call)
    assert not same_call(DataPart({"type": "data-x"}), call)

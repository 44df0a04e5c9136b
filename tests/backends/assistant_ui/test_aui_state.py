"""Replies that are nothing but a state that changes: both known shapes, odd ones, and what servers take back."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.backends.assistant_ui import state_view
from kai_tui.backends.assistant_ui.state import CannotApply, StateTree, messages_in, plain
from kai_tui.conversation.events import (
    ResetStep,
    Start,
    Status,
    TextDelta,
    ToolApprovalRequest,
    ToolOutputAvailable,
    Usage,
)
from kai_tui.conversation.messages import Message, ToolPart
from tests.backends.assistant_ui.captures import Read, asks, capture, read, response_of

PLAIN = {"content-type": "text/plain; charset=utf-8", "transfer-encoding": "chunked"}


async def recorded(
    name: str, *waiting: str, into: Message | None = None, answered: frozenset[str] = frozenset()
) -> Read:
    found = capture(name)
    return await read(
        response_of([found.body], found.headers, broken=found.cut),
        state=found.state,
        waits=asks(*waiting),
        into=into,
        answered=answered,
    )


async def streamed(*batches: Any, state: Any = None, **options: Any) -> Read:
    """A data stream of these batches of operations, or of these lines."""
    lines = [each if isinstance(each, str) else f"aui-state:{json.dumps(each)}" for each in batches]
    return await read(response_of(["\n".join(lines).encode() + b"\n"], PLAIN), state=state, **options)


def put(value: Any, *path: str) -> Any:
    return {"type": "set", "path": list(path), "value": value}


def add(text: str, *path: str) -> Any:
    return {"type": "append-text", "path": list(path), "value": text}


def texts(result: Read) -> list[str]:
    return [part["text"] for part in result.shown if part["type"] == "text"]


# Recordings


async def test_a_lang_chain_conversation_with_a_tool_of_the_server():
    result = await recorded("langgraph-backend/01-server-tool")
    assert result.shown == [
        {"type": "text", "text": "I'll call a tool for that.", "state": "done"},
        {
            "type": "tool-calculate_sum",
            "toolCallId": "sum_001",
            "state": "output-available",
            "input": {"numbers": [2, 3, 5]},
            "output": '{"numbers": [2.0, 3.0, 5.0], "sum": 10.0, "count": 3}',
            "toolMetadata": {"artifact": {"numbers": [2.0, 3.0, 5.0], "sum": 10.0, "count": 3}},
        },
        {
            "type": "text",
            "text": 'Task complete: {"numbers": [2.0, 3.0, 5.0], "sum": 10.0, "count": 3}',
            "state": "done",
        },
    ]
    assert [event.message_id for event in result.events if isinstance(event, Start)] == [
        "6bd03062-1c84-4a12-ae99-9f8e14e17db7"
    ]
    assert result.finish.reason == "unknown"
    assert len(result.tree.plain()["messages"]) == 4


async def test_a_call_of_this_programs_tool_waits_for_a_value_and_others_are_only_left_open():
    asked = await recorded("langgraph-backend/02-client-tool-request", "get_weather")
    [question] = [event for event in asked.events if isinstance(event, ToolApprovalRequest)]
    assert question.fields["approvalDescriptor"]["wants"] == "value"
    call = asked.message.tool_calls()[0]
    assert (call.state, call.input) == (
        "approval-requested",
        {"location": "San Francisco", "unit": "fahrenheit"},
    )
    assert asked.finish.reason == "tool-calls"
    left = await recorded("langgraph-backend/02-client-tool-request")
    assert left.message.tool_calls()[0].state == "input-available"
    assert left.finish.reason == "unknown"


async def test_the_reply_after_a_tool_result_goes_on_with_the_message():
    before = (await recorded("langgraph-backend/02-client-tool-request", "get_weather")).message
    result = await recorded("langgraph-backend/03-client-tool-result", into=before)
    assert texts(result) == ["I'll call a tool for that.", 'Task complete: {"tempF": 61}']
    assert result.message.tool_calls()[0].output == '{"tempF": 61}'
    # What the user said counts; the server only repeats it.
    again = await recorded("langgraph-backend/03-client-tool-result", answered=frozenset({"weather_001"}))
    assert not any(isinstance(event, ToolOutputAvailable) for event in again.events)
    assert texts(again) == ['Task complete: {"tempF": 61}']


async def test_a_sub_agents_result_is_preliminary_until_it_is_done():
    result = await recorded("langgraph-backend/04-subagent-tool")
    outputs = [event for event in result.events if isinstance(event, ToolOutputAvailable)]
    assert [event.fields.get("preliminary") for event in outputs] == [True, None]
    call = result.message.tool_calls()[0]
    assert call.output == "Mock subagent result for task: Complete the requested task"
    assert not call.preliminary


async def test_tokens_come_as_deltas_with_usage_and_a_reason():
    result = await recorded("langgraph-backend/10-token-stream")
    assert [event.delta for event in result.events if isinstance(event, TextDelta)] == [
        "Hello ", "from ", "the ", "stub ", "model. ", "You ", "said: ", "hello ", "there",
    ]  # fmt: skip
    assert [event for event in result.events if isinstance(event, Usage)] == [Usage(21, 7, 28, id="state-1")]
    assert result.finish.reason == "stop"


async def test_only_the_new_turn_is_shown_of_a_state_with_earlier_ones():
    result = await recorded("langgraph-backend/13-second-turn")
    assert texts(result) == ["Hello from the stub model. You said: and again"]
    assert len(result.tree.plain()["messages"]) == 4


async def test_an_error_of_the_model_ends_the_reply_and_the_state_is_kept():
    result = await recorded("langgraph-backend/11-model-error")
    assert result.shown == []
    assert result.finish.reason == "error"
    assert result.message.errors == ["Error code: 401 - Incorrect API key provided."]
    assert result.tree.plain()["messages"][0]["content"] == "fail401"


async def test_messages_with_parts_and_growing_arguments():
    result = await recorded("transport-backend/01-add-message")
    assert texts(result) == ["Hello22"]
    call = result.message.tool_calls()[0]
    assert (call.tool_name, call.state, call.input) == ("get_weather", "input-available", {"location": "SF"})
    assert result.tree.plain()["provider"] == "completed"


async def test_a_result_for_an_earlier_reply_reaches_its_call():
    before = Message(
        parts=[ToolPart({"type": "tool-get_weather", "toolCallId": "tool_1", "state": "input-available"})]
    )
    result = await recorded("transport-backend/02-add-tool-result", into=before)
    first, second = result.message.tool_calls()
    assert (first.tool_call_id, first.output) == ("tool_1", {"temp": 20})
    assert (second.tool_call_id, second.input) == ("tool_472171", {"location": "SF"})
    assert texts(result) == ["Hello22"]


@pytest.mark.parametrize("encoding", ["data", "transport"])
async def test_a_state_that_is_set_as_a_whole(encoding: str):
    result = await recorded(f"library-encoders/{encoding}-14-state")
    assert texts(result) == ["Hello there"]
    assert result.message.id == "msg_1"
    assert result.finish.reason == "stop"


async def test_a_state_of_an_unknown_shape_is_a_status_and_said_when_nothing_else_came():
    result = await recorded("state-test/02-complex")
    assert result.shown == []
    assert "data of its own application" in result.message.errors[0]
    assert result.tree.plain()["completed"] is True
    with_text = await recorded("state-test/01-simple")
    assert (texts(with_text), with_text.message.errors) == (["hi"], [])
    unknown = await streamed([put({"counter": 1})], [put(2, "counter")])
    assert [event.text for event in unknown.events if isinstance(event, Status)] == [
        "The server works on data of its own."
    ]


# What servers take back


def said(*parts: Any) -> Any:
    return {"role": "assistant", "parts": list(parts)}


def text(value: str) -> Any:
    return {"type": "text", "text": value}


async def test_a_rewritten_text_replaces_what_was_shown():
    result = await streamed(
        [put({"messages": [said(text("It is Monday."))]})],
        [put("It was Sunday", "messages", "0", "parts", "0", "text")],
        [add(".", "messages", "0", "parts", "0", "text")],
    )
    assert texts(result) == ["It was Sunday."]
    assert sum(isinstance(event, ResetStep) for event in result.events) == 1


async def test_only_the_new_step_is_thrown_away():
    earlier = Message(
        id="m1", parts=[ToolPart({"type": "tool-x", "toolCallId": "c", "state": "output-available"})]
    )
    result = await streamed(
        [put([said(text("a"))], "messages")], [put([said(text("b"))], "messages")], into=earlier
    )
    assert [part["type"] for part in result.parts] == ["tool-x", "step-start", "text"]
    assert texts(result) == ["b"]


async def test_calls_and_their_results_are_shown_again_after_a_rewrite():
    call = {"type": "tool-call", "toolCallId": "c1", "toolName": "x", "args": {"a": 1}, "result": 7}
    result = await streamed(
        [put([said(text("one"), call)], "messages")], [put([said(text("two"), call)], "messages")]
    )
    assert texts(result) == ["two"]
    assert [(part.state, part.input, part.output) for part in result.message.tool_calls()] == [
        ("output-available", {"a": 1}, 7)
    ]


async def test_messages_that_disappear_are_taken_back():
    result = await streamed(
        [put([said(text("one")), said(text("two"))], "messages")], [put([said(text("one"))], "messages")]
    )
    assert texts(result) == ["one"]


async def test_a_server_that_rewrites_for_ever_is_not_followed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(state_view, "MAX_RESETS", 3)
    batches = [[put([said(text(f"version {number}"))], "messages")] for number in range(10)]
    result = await streamed(*batches)
    assert texts(result) == ["version 3"]
    assert result.message.errors == [
        "The server rewrote its reply too often. What it says now is kept, but not shown."
    ]
    assert result.tree.plain()["messages"][0]["parts"][0]["text"] == "version 9"


async def test_a_text_that_is_set_anew_with_more_only_grows():
    result = await streamed(*[[put([said(text("x" * size))], "messages")] for size in range(1, 30)])
    assert texts(result) == ["x" * 29]
    assert not any(isinstance(event, ResetStep) for event in result.events)


async def test_a_whole_conversation_of_the_server_shows_only_what_follows_the_users_last_message():
    users = {"role": "user", "parts": [text("hi")]}
    result = await streamed([put({"messages": [users, said(text("old")), users, said(text("new"))]})])
    assert texts(result) == ["new"]


async def test_indexes_as_keys_of_an_object():
    result = await streamed(
        [put({"role": "user", "parts": [text("hi")]}, "messages", "0")],
        [put(said(text("Hel")), "messages", "1")],
        [add("lo", "messages", "1", "parts", "0", "text")],
    )
    assert texts(result) == ["Hello"]


async def test_text_that_comes_as_parts_is_not_shown_twice_and_nothing_the_state_says_is_lost():
    result = await streamed(
        '0:"Hello "', [put([said(text("Hello there"))], "messages")], '0:"there"',
        [put(said(text("More in the state")), "messages", "1")],
    )  # fmt: skip
    assert "".join(texts(result)) == "Hello thereMore in the state"


async def test_halves_of_a_character_are_joined_over_operations():
    path = ("messages", "0", "parts", "0", "text")
    lines = [
        json.dumps([put([said(text("a\ud83d"))], "messages")]),
        json.dumps([add("\udc0e b", *path)]),
        json.dumps([add(" \ud83d", *path)]),
        json.dumps([add("\udc0e", *path)]),
    ]
    result = await streamed(*(f"aui-state:{line}" for line in lines))
    assert texts(result) == ["a🐎 b 🐎"]
    assert not any(isinstance(event, ResetStep) for event in result.events)


@pytest.mark.parametrize(
    "operation",
    [None, 7, {}, {"type": "delete", "path": []}, {"type": "set", "path": "x"}, put(1, "messages", "5"),
     put(1, "messages", "x"), put(1, "messages", "0", "parts", "0", "text", "deep"), add("x", "messages"),
     {"type": "append-text", "path": ["messages", "0"], "value": 7}, put(1, *("a",) * 300),
     {"type": "set", "path": [True], "value": 1}, put(1, "messages", "9" * 5000)],
)  # fmt: skip
async def test_operations_that_make_no_sense_are_left_out(operation: Any):
    result = await streamed(
        [put([said(text("a"))], "messages")], [operation, add("b", "messages", "0", "parts", "0", "text")]
    )
    assert texts(result) == ["ab"]
    assert len(result.message.faults) == 1


# Against the vendor's own state, and against itself


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("abc", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab01"), inner, max_size=3),
    max_leaves=6,
)
OPERATIONS = st.builds(
    lambda kind, path, value, piece: {"type": kind, "path": path, "value": value if kind == "set" else piece},
    st.sampled_from(["set", "append-text"]),
    st.lists(st.sampled_from(["a", "b", "0", "1", "2"]), max_size=4),
    VALUES,
    st.text("xyz", max_size=3),
)


@given(
    st.none() | st.dictionaries(st.sampled_from("ab01"), VALUES, max_size=3),
    st.lists(OPERATIONS, max_size=12),
)
def test_operations_do_what_the_vendors_state_does(start: Any, operations: list[Any]):
    vendor = pytest.importorskip(
        "assistant_stream.state", reason="requirements.lock is newer than this .venv"
    )
    tree, theirs = StateTree(start), start
    for operation in operations:
        try:
            tree.apply(plain(operation))
        except CannotApply:
            continue
        # Python makes an object of anything it cannot go into; we leave such operations out.
        theirs = vendor.deep_apply(theirs, operation["path"], operation)
        assert tree.plain() == theirs


PARTS = st.lists(
    st.builds(text, st.text("ab", max_size=6))
    | st.builds(
        lambda number, result: {
            "type": "tool-call", "toolCallId": f"c{number}", "toolName": "x", "args": {"n": number},
            **({"result": result} if result is not None else {}),
        },
        st.integers(0, 2),
        st.none() | st.integers(0, 3),
    ),
    max_size=3,
    unique_by=lambda part: part.get("toolCallId", id(part)),
)  # fmt: skip


@given(
    st.lists(
        st.lists(PARTS.map(lambda parts: {"role": "assistant", "parts": parts}), max_size=3),
        min_size=1,
        max_size=8,
    )
)
async def test_whatever_a_state_went_through_what_it_says_in_the_end_is_shown(versions: list[Any]):
    seen: set[str] = set()
    for version in versions:
        seen.clear()
        for message in version:
            message["parts"] = [p for p in message["parts"] if p.get("toolCallId") not in seen]
            seen |= {p["toolCallId"] for p in message["parts"] if "toolCallId" in p}
    through = await streamed(*[[put(version, "messages")] for version in versions])
    at_once = await streamed([put(versions[-1], "messages")])
    assert [_content(part) for part in through.shown] == [_content(part) for part in at_once.shown]


def _content(part: Any) -> Any:
    return {key: value for key, value in part.items() if key != "state"}


def test_a_long_reply_costs_its_tokens_not_its_length():
    tree = StateTree({"messages": [said(text(""))]})
    for _ in range(20_000):
        tree.apply(add("word ", "messages", "0", "parts", "0", "text"))
    assert len(plain(messages_in(tree.root))[0]["parts"][0]["text"]) == 100_000


async def test_random_growth_in_random_batches_is_shown_whole():
    for seed in range(20):
        chance = random.Random(seed)
        whole = [put([said(text(""))], "messages")]
        expected = ""
        for _ in range(chance.randrange(1, 40)):
            piece = chance.choice(["a", "bc ", "\n", "é", "🐎"])
            expected += piece
            path = ("messages", "0", "parts", "0", "text")
            whole.append(put(expected, *path) if chance.random() < 0.2 else add(piece, *path))
        batches: list[Any] = []
        while whole:
            size = chance.randrange(1, 5)
            batches.append(whole[:size])
            whole = whole[size:]
        assert texts(await streamed(*batches)) == [expected]

"""Rules of the fold that no recording shows (protocols/kai.md §7, §8, §11)."""

from __future__ import annotations

import copy
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation import events as e
from kai_tui.conversation.chunks import events_from_chunk, finish_reason
from kai_tui.conversation.faults import MAX_FAULT_LENGTH, MAX_FAULTS
from kai_tui.conversation.fold import FoldState, fold, fold_stream
from kai_tui.conversation.messages import GrowingPart, Message, TextPart, ToolPart
from tests.some import examples


def parts(*chunks: Any, into: Any = None) -> list[Any]:
    return fold_stream(chunks, into).to_wire()["parts"]


def chunk(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


def test_the_index_says_what_changed() -> None:
    message, state = Message(), FoldState()
    changes = [
        (e.Start("m"), None),
        (e.StartStep(), 0),
        (e.TextStart("0"), 1),
        (e.TextDelta("0", "a"), 1),
        (e.ToolInputStart("c", "search", {}), 2),
        (e.ToolInputDelta("c", "{"), 2),
        (e.TextDelta("0", "b"), 1),
        (e.ToolInputAvailable("c", "search", {}, {}), 2),
        (e.ToolOutputAvailable("c", 1, {}), 2),
        (e.ToolOutputAvailable("nobody", 1, {}), None),
        (e.Data("data-x", 1, "1", False, chunk("data-x", id="1", data=1)), 3),
        (e.Data("data-x", 2, "1", False, chunk("data-x", id="1", data=2)), 3),
        (e.Data("data-y", 2, None, True, chunk("data-y", data=2)), None),
        (e.MessageMetadata({"a": 1}), None),
        (e.Status("working"), None),
        (e.ResetStep(), 1),
        (e.Finish("stop"), None),
    ]
    for event, index in changes:
        assert fold(message, event, state) == index, event
    assert [part.type for part in message.parts] == ["step-start"]


def test_reset_step_takes_back_the_current_step_only() -> None:
    assert parts(
        chunk("start-step"),
        chunk("text-start", id="0"),
        chunk("text-delta", id="0", delta="kept"),
        chunk("start-step"),
        chunk("text-start", id="1"),
        chunk("tool-input-start", toolCallId="c", toolName="search"),
        chunk("reset-step"),
        chunk("tool-input-available", toolCallId="c", toolName="search", input={}),
    ) == [
        {"type": "step-start"},
        {"type": "text", "text": "kept", "state": "streaming"},
        {"type": "step-start"},
        {"type": "tool-search", "toolCallId": "c", "state": "input-available", "input": {}},
    ]


def test_reset_step_leaves_a_refused_input_before_it_as_sdk_7_has_it() -> None:
    """Found by random streams: the end of the next step still has to tell SDK 6 and 7 apart."""
    refused = {"toolCallId": "c", "toolName": "search", "input": True, "errorText": "Invalid input"}
    part, *_ = parts(
        chunk("tool-input-error", **refused),
        chunk("start-step"),
        chunk("text-start", id="0"),
        chunk("reset-step"),
        chunk("finish-step"),
    )
    assert part["input"] is True
    assert "rawInput" not in part


def test_an_error_without_words_stays_without_words() -> None:
    """`throw new Error("")` in a tool: the SDK keeps the empty text, and the message goes back as it came."""
    (part,) = parts(
        chunk("tool-input-available", toolCallId="c", toolName="search", input={}),
        chunk("tool-output-error", toolCallId="c", errorText=""),
    )
    assert part["errorText"] == ""
    assert fold_stream([chunk("error", errorText="")]).errors == ["Unknown error"]
    assert events_from_chunk(chunk("tool-output-error", toolCallId="c")) == [
        e.ToolOutputError("c", "Unknown error", chunk("tool-output-error", toolCallId="c"))
    ]


def test_an_echoed_answer_keeps_the_request() -> None:
    request = chunk("tool-approval-request", toolCallId="c", approvalId="a", signature="s", isAutomatic=True)
    [call] = parts(
        chunk("tool-input-available", toolCallId="c", toolName="run_job", input={}),
        request,
        chunk("tool-approval-response", approvalId="a", approved=False, reason="policy"),
        chunk("tool-approval-response", approvalId="other", approved=True),
    )
    assert call["state"] == "approval-responded"
    assert call["approval"] == {
        "id": "a",
        "signature": "s",
        "isAutomatic": True,
        "approved": False,
        "reason": "policy",
    }


def test_an_input_in_plain_text() -> None:
    [call] = parts(
        chunk("tool-input-start", toolCallId="c", toolName="run", inputEncoding="text"),
        chunk("tool-input-delta", toolCallId="c", inputTextDelta="{no"),
        chunk("tool-input-delta", toolCallId="c", inputTextDelta=" json"),
    )
    assert call["input"] == call["rawInput"] == "{no json"


def test_an_input_goes_on_in_a_continued_message() -> None:
    first = fold_stream(
        [
            chunk("start", messageId="m"),
            chunk("tool-input-start", toolCallId="c", toolName="search"),
            chunk("tool-input-delta", toolCallId="c", inputTextDelta='{"patterns":["a'),
        ]
    )
    more = [chunk("tool-input-delta", toolCallId="c", inputTextDelta='b"]}')]
    for into in (first, first.to_wire()):
        [call] = parts(*more, into=into)
        assert call["input"] == {"patterns": ["ab"]}
    assert first.tool_calls()[0].input == {"patterns": ["a"]}


def test_pieces_for_a_call_whose_input_is_complete_change_nothing() -> None:
    message = fold_stream(
        [
            chunk("tool-input-available", toolCallId="c", toolName="run_job", input={"a": 1}),
            chunk("tool-approval-request", toolCallId="c", approvalId="a"),
            chunk("tool-input-delta", toolCallId="c", inputTextDelta='{"a":2}'),
        ]
    )
    assert message.tool_calls()[0].input == {"a": 1}
    assert message.tool_calls()[0].state == "approval-requested"
    assert len(message.faults) == 1


def test_a_second_call_with_the_id_of_an_earlier_step_is_another_call() -> None:
    calls = fold_stream(
        [
            chunk("start-step"),
            chunk("tool-input-available", toolCallId="c", toolName="a", input=1),
            chunk("start-step"),
            chunk("tool-input-available", toolCallId="c", toolName="b", input=2),
            chunk("tool-output-available", toolCallId="c", output="second"),
        ]
    ).tool_calls()
    assert [(call.tool_name, call.state, call.output) for call in calls] == [
        ("a", "input-available", None),
        ("b", "output-available", "second"),
    ]


def test_halves_of_a_surrogate_pair_meet_again() -> None:
    message, state = Message(), FoldState()
    for delta in ("a\ud83d", "\udc0eb", "\ud83d"):
        fold(message, e.TextDelta("0", delta), state)
    part = message.parts[0]
    assert isinstance(part, TextPart)
    assert part.text == "a🐎b"
    assert part.to_wire()["text"] == "a🐎b\ud83d"


def test_metadata_merges_deeply_and_null_changes_nothing() -> None:
    message = fold_stream(
        [
            chunk("start", messageMetadata={"a": {"b": 1, "list": [1]}, "c": 1}),
            chunk("message-metadata", messageMetadata=None),
            chunk("message-metadata", messageMetadata={"a": {"list": [2]}, "__proto__": {"x": 1}}),
            chunk("finish", finishReason="stop", messageMetadata={"c": None}),
        ]
    )
    assert message.metadata == {"a": {"b": 1, "list": [2]}, "c": None}


def test_the_first_finish_counts_and_what_follows_still_folds() -> None:
    message = fold_stream(
        [
            chunk("finish", finishReason="length"),
            chunk("data-x", data=1),
            chunk("error", errorText="late"),
            chunk("finish", finishReason="stop"),
        ]
    )
    assert message.finish == e.Finish("length", "length")
    assert message.errors == ["late"]
    assert len(message.parts) == 1


def test_reasons_of_all_servers() -> None:
    known = {
        "stop": "stop",
        "complete": "stop",
        "tool_calls": "tool-calls",
        "max_tokens": "length",
        "cancelled": "cancelled",
        "interrupted": "other",
        "STOP": "stop",
        "whatever": "other",
        None: "unknown",
        7: "unknown",
    }
    assert {raw: finish_reason(raw) for raw in known} == known


def test_faults_are_few_and_short() -> None:
    message = fold_stream([chunk("x" * 10_000, junk="y" * 100_000)] * 1_000)
    assert len(message.faults) == MAX_FAULTS + 1
    assert max(map(len, message.faults)) <= MAX_FAULT_LENGTH


def test_older_text_without_blocks_is_one_part_until_something_else_comes() -> None:
    assert parts(
        chunk("text", text="Hello, "),
        chunk("data-usage", data={}),
        chunk("text", text="world"),
        chunk("tool-call", toolCallId="c", toolName="search", state="started"),
        chunk("text", text="Found."),
        chunk("finish"),
    ) == [
        {"type": "text", "text": "Hello, world", "state": "done"},
        {"type": "data-usage", "data": {}},
        {"type": "tool-search", "toolCallId": "c", "state": "input-streaming"},
        {"type": "text", "text": "Found.", "state": "done"},
    ]


def test_an_older_call_through_its_life() -> None:
    call = {"toolCallId": "c", "toolName": "create_bucket"}
    asked = chunk("tool-call", **call, state="input-available", input={"name": "x"}, approval={"id": "a"})
    [waiting] = fold_stream([chunk("tool-call", **call, state="started"), asked]).tool_calls()
    assert (waiting.state, waiting.approval_id, waiting.input) == ("approval-requested", "a", {"name": "x"})
    done = chunk("tool-call", toolCallId="c", toolName=None, state="output-available", output=1)
    [over] = fold_stream([asked, done]).tool_calls()
    assert (over.tool_name, over.state, over.output) == ("create_bucket", "output-available", 1)
    answered = {"id": "a", "approved": True}
    [known] = fold_stream([{**asked, "approval": answered}]).tool_calls()
    assert known.state == "input-available"


def test_a_result_that_names_its_tool_needs_no_call() -> None:
    output = chunk("tool-output-available", toolCallId="c", toolName="create_bucket", output=1)
    assert parts(output) == [
        {"type": "tool-create_bucket", "toolCallId": "c", "state": "output-available", "output": 1}
    ]


def test_a_call_without_a_name_is_shown_all_the_same() -> None:
    [call] = fold_stream([chunk("tool-input-available", toolCallId="c", input={})]).tool_calls()
    assert (call.tool_name, call.state) == ("", "input-available")


def test_usage_and_title_come_beside_their_data() -> None:
    usage = events_from_chunk(chunk("data-usage", data={"promptTokens": 1, "reasoningTokens": 2}))
    assert [type(event) for event in usage] == [e.Data, e.Usage]
    assert usage[1] == e.Usage(input=1, reasoning=2)
    assert events_from_chunk(chunk("data-chat-title", data="Orders"))[1] == e.Title("Orders")
    assert events_from_chunk(chunk("finish-step", usage={"promptTokens": True})) == [e.FinishStep()]


def test_a_flood_of_parts_costs_no_more_each() -> None:
    """No lookup walks the whole message: 20,000 of each would take minutes if one did (P10)."""
    flood = [
        each
        for number in range(20_000)
        for each in (
            chunk("tool-input-start", toolCallId=f"c{number}", toolName="search"),
            chunk("tool-approval-request", toolCallId=f"c{number}", approvalId=f"a{number}"),
            chunk("tool-approval-response", approvalId=f"a{number}", approved=True),
            chunk("data-x", id=str(number), data=number),
        )
    ]
    started = time.process_time()
    message = fold_stream(flood)
    assert time.process_time() - started < 5
    assert len(message.parts) == 40_000


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
IDS = st.sampled_from(["", "0", "1"])
ALL_TYPES = """
    text-start text-delta text-end reasoning-start reasoning-delta reasoning-end start start-step
    finish-step reset-step tool-input-start tool-input-delta tool-input-available tool-input-error
    tool-approval-request tool-approval-response tool-output-available tool-output-error
    tool-output-denied source-url source-document file reasoning-file custom steering-message data-x
    data-usage data-chat-title message-metadata finish abort error text tool-call step-end nonsense
"""
ALL_NAMES = """
    id delta text toolCallId toolName approvalId approved input output errorText dynamic title
    inputTextDelta inputEncoding providerMetadata toolMetadata providerExecuted preliminary data transient
    url sourceId mediaType kind parts messageId messageMetadata finishReason reason usage state
    approval signature inputSchemaInput isAutomatic citations
"""
CHUNKS = st.builds(
    lambda kind, ids, fields: {**ids, **fields, "type": kind},
    st.sampled_from(ALL_TYPES.split()),
    st.fixed_dictionaries(
        {
            "id": IDS,
            "toolCallId": IDS,
            "approvalId": IDS,
            "toolName": IDS,
            "delta": st.text(max_size=3),
            "inputTextDelta": st.text(alphabet='{}[]":a1', max_size=4),
            "approved": st.booleans(),
        }
    ),
    st.dictionaries(st.sampled_from(ALL_NAMES.split()), JUNK, max_size=3),
)


@examples(300)
@given(st.lists(CHUNKS | JUNK, max_size=30), st.none() | JUNK)
def test_nothing_a_server_writes_fails_or_takes_anything_back(stream: list[Any], before: Any) -> None:
    into = {"id": "m", "role": "assistant", "parts": before if isinstance(before, list) else [before]}
    message = Message.from_wire(into)
    given_stream = copy.deepcopy(stream)
    state = FoldState()
    texts: list[str] = []
    kinds: list[type] = []
    for raw in stream:
        for event in events_from_chunk(raw):
            index = fold(message, event, state)
            assert index is None or 0 <= index <= len(message.parts)
            if isinstance(event, e.ResetStep):
                texts, kinds = texts[: len(message.parts)], kinds[: len(message.parts)]
            now = [part.text if isinstance(part, GrowingPart) else "" for part in message.parts]
            assert [type(part) for part in message.parts][: len(kinds)] == kinds
            assert all(new.startswith(old) for old, new in zip(texts, now, strict=False))
            texts, kinds = now, [type(part) for part in message.parts]
    wire = message.to_wire()
    assert stream == given_stream
    assert fold_stream(stream, into).to_wire() == wire
    for part in message.tool_calls():
        assert isinstance(part, ToolPart)
        _ = (part.tool_name, part.state, part.input, part.raw_input, part.settled, part.approval_id)

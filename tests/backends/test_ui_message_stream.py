"""Chunks as events, and the one Finish every stream ends with (kai.md §5, §6; reliability.md §3)."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.backends.base import AnswerTooLarge, BackendError, ConnectionLost
from kai_tui.backends.sse import sse_data
from kai_tui.backends.ui_message_stream import ui_events
from kai_tui.conversation import events as e
from kai_tui.conversation.fold import FoldState, fold, fold_stream
from kai_tui.conversation.messages import Message, TextPart
from tests.fixture_cases import case_id, cases, expanded
from tests.recordings import Recording, recording_id, recordings, response_of
from tests.some import examples


async def stream(texts: Iterable[Any], broken: Exception | None = None) -> AsyncIterator[str]:
    for text in texts:
        yield text if isinstance(text, str) else json.dumps(text)
    if broken is not None:
        raise broken


async def read(*texts: Any, broken: Exception | None = None) -> list[e.Event]:
    return [event async for event in ui_events(stream(texts, broken))]


async def finish(*texts: Any, broken: Exception | None = None) -> e.Finish:
    events = await read(*texts, broken=broken)
    ends = [event for event in events if isinstance(event, e.Finish)]
    assert len(ends) == 1
    assert events[-1] is ends[0]
    return ends[0]


START = {"type": "start", "messageId": "m"}
TEXT = {"type": "text-delta", "id": "0", "delta": "The first half of "}
STOP = {"type": "finish", "finishReason": "stop"}
ERROR = {"type": "error", "errorText": "overloaded"}
LOST = ConnectionLost("The connection was lost.")


@pytest.mark.parametrize("recording", recordings("ai-sdk", "ai-sdk-v7"), ids=recording_id)
async def test_every_recording_ends_once_in_any_pieces(recording: Recording) -> None:
    rng = random.Random(recording.name)
    at = sorted(rng.sample(range(len(recording.body)), min(20, len(recording.body))))
    body = recording.body
    pieces = [body[a:b] for a, b in zip([0, *at], [*at, len(body)], strict=True)]
    message, state = Message(), FoldState()
    if recording.continued is not None:
        message = Message.from_wire(recording.continued)
    ends: list[e.Event] = []
    async for event in ui_events(sse_data(response_of(pieces))):
        assert not ends
        fold(message, event, state)
        if isinstance(event, e.Finish):
            ends.append(event)
    assert message.finish == ends[0]
    assert message.to_wire() == fold_stream(recording.chunks, recording.continued).to_wire()
    if message.finish.reason == "lost":
        assert recording.reference["finishReason"] is None


REASONS = {
    "text-plain": e.Finish("stop", "stop"),
    "finish-length": e.Finish("length", "length"),
    "approval-write": e.Finish("tool-calls", "tool-calls"),
    "abort-mid-text": e.Finish(
        "cancelled", "user-cancelled", detail="The server stopped the answer: user-cancelled"
    ),
    "error-mid-stream": e.Finish("error", "error", detail="overloaded_error: Overloaded"),
    "error-stream-throws": e.Finish("error", detail="socket hang up"),
    "error-first": e.Finish("error", detail="rate_limit_error: too many tokens"),
    "approval-two.one-answered": e.Finish("error", detail="Tool result is missing for tool call call_a2."),
    "odd-no-start": e.Finish("unknown"),
    "sse-no-done": e.Finish("stop", "stop"),
}


@pytest.mark.parametrize("name", REASONS)
async def test_how_recorded_turns_end(name: str) -> None:
    [recording] = [each for each in recordings("ai-sdk") if recording_id(each) == f"ai-sdk:{name}"]
    [*_, last] = [event async for event in ui_events(sse_data(response_of([recording.body])))]
    assert last == REASONS[name]


async def test_a_cut_reply_is_never_complete() -> None:
    [recording] = [each for each in recordings("ai-sdk") if recording_id(each) == "ai-sdk:sse-truncated"]
    [*_, last] = [event async for event in ui_events(sse_data(response_of([recording.body])))]
    assert isinstance(last, e.Finish)
    assert last.reason == "lost"
    assert last.detail is not None
    assert last.detail.startswith("Connection lost after ")


async def test_a_clean_end_without_finish_is_a_loss_and_words_are_counted() -> None:
    assert await finish(START) == e.Finish("lost", detail="Connection lost.")
    assert (await finish(START, TEXT)).detail == "Connection lost after 4 words."
    assert (await finish(TEXT, {**TEXT, "delta": "sen"}, {**TEXT, "delta": "tence"})).detail == (
        "Connection lost after 5 words."
    )
    assert (await finish({**TEXT, "delta": "\n One"})).detail == "Connection lost after 1 word."
    assert await finish() == e.Finish("lost", detail="Connection lost.")
    assert await finish("[DONE]") == e.Finish("lost", detail="Connection lost.")


async def test_a_break_before_the_first_event_is_raised() -> None:
    with pytest.raises(ConnectionLost) as caught:
        await read(broken=LOST)
    assert caught.value is LOST


async def test_a_break_later_is_a_loss_unless_the_end_was_seen() -> None:
    assert (await finish(TEXT, broken=LOST)) == e.Finish("lost", detail="Connection lost after 4 words.")
    assert (await finish(TEXT, STOP, broken=LOST)) == e.Finish("stop", "stop")
    assert (await finish(TEXT, ERROR, broken=LOST)) == e.Finish("error", detail="overloaded")
    too_large = AnswerTooLarge("Part of the reply was too large (over 8 MiB) and was left out.")
    assert (await finish(TEXT, broken=too_large)) == e.Finish("lost", detail=too_large.sentence)


async def test_what_follows_a_finish_still_comes_before_it() -> None:
    late = {"type": "data-note", "data": "late"}
    metadata = {**STOP, "messageMetadata": {"a": 1}}
    events = await read(START, metadata, late, {"type": "finish", "finishReason": "length"}, "[DONE]", TEXT)
    assert [type(event) for event in events] == [e.Start, e.MessageMetadata, e.Data, e.TextDelta, e.Finish]
    assert events[-1] == e.Finish("stop", "stop")


async def test_a_server_that_stops_says_why_or_not() -> None:
    assert await finish({"type": "abort", "reason": "timeout"}) == e.Finish(
        "other", "timeout", detail="The server stopped the answer: timeout"
    )
    assert await finish({"type": "abort"}) == e.Finish("other", detail="The server stopped the answer.")
    assert await finish({"type": "abort"}, STOP) == e.Finish("stop", "stop")


async def test_an_error_is_the_reason_nobody_named() -> None:
    second = {"type": "error", "errorText": "No output generated."}
    assert await finish(ERROR, second, {"type": "finish"}) == e.Finish("error", detail="overloaded")
    assert await finish(ERROR, STOP) == e.Finish("stop", "stop")
    assert await finish({"type": "finish"}) == e.Finish("unknown")


async def test_streams_without_empty_lines_are_read_line_by_line() -> None:
    joined = "\n".join([json.dumps(START), json.dumps(TEXT), "{broken", json.dumps(STOP), "[DONE]"])
    events = await read(joined)
    assert [type(event) for event in events] == [e.Start, e.TextDelta, e.Skipped, e.Finish]
    assert events[-1] == e.Finish("stop", "stop")
    body = (
        b'data: {"type":"text","text":"a"}\ndata: {"type":"finish","finishReason":"stop"}\ndata: [DONE]\n\n'
    )
    message = fold_stream([event async for event in ui_events(sse_data(response_of([body])))])
    assert message.text == "a"
    assert message.finish == e.Finish("stop", "stop")


async def test_data_cut_over_two_lines_is_one_chunk() -> None:
    [event, _] = await read('{"type":"text-delta",\n"id":"0","delta":"a"}')
    assert event == e.TextDelta("0", "a")


async def test_a_little_broken_json_is_left_out() -> None:
    broken = '{"type":"text-delta","id":"0",'
    events = await read(START, *[broken] * 20, TEXT, STOP)
    assert sum(isinstance(event, e.Skipped) for event in events) == 20
    assert events[-1] == e.Finish("stop", "stop")


async def test_too_much_broken_json_is_a_loss() -> None:
    broken = '{"type":"text-delta","id":"0",'
    in_a_row = await read(TEXT, *[broken] * 21, TEXT, STOP)
    assert in_a_row[-1] == e.Finish("lost", detail="Too much of the reply was unreadable after 4 words.")
    assert sum(isinstance(event, e.TextDelta) for event in in_a_row) == 1
    share = ([TEXT] * 15 + [broken]) * 20
    assert (await finish(*share, STOP)).reason == "lost"
    assert (await finish(*([TEXT] * 25 + [broken]) * 20, STOP)).reason == "stop"


async def test_deep_and_odd_json_is_left_out() -> None:
    odd = [
        "[" * 100_000,
        '{"type":"text-delta","delta":NaN}',
        '"x"',
        '{"type":5}',
        "42",
        '{"type":"sparkle"}',
    ]
    events = await read(*odd, STOP)
    assert [type(event) for event in events] == [e.Skipped] * len(odd) + [e.Finish]
    assert len(fold_stream(events).faults) == len(odd)


@pytest.mark.parametrize("path", cases("hostile", "json-*.json"), ids=case_id)
async def test_hostile_json_harms_nothing(path: Path) -> None:
    case = expanded(json.loads(path.read_text("utf-8")))
    events = await read(START, TEXT, case["input"], {**TEXT, "delta": "the rest"}, STOP)
    message = fold_stream(events)
    assert message.finish == e.Finish("stop", "stop")
    assert "The first half of " in message.text
    assert "the rest" in message.text
    bad = [event for event in events if isinstance(event, e.Skipped)]
    assert bool(bad) is case["expect"]["counted_as_bad_event"]
    json.dumps(message.to_wire()).encode("ascii")


async def test_closing_closes_the_data() -> None:
    closed: list[bool] = []

    async def data() -> AsyncIterator[str]:
        try:
            while True:
                yield json.dumps(TEXT)
        finally:
            closed.append(True)

    events = ui_events(data())
    assert await anext(events) == e.TextDelta("0", TEXT["delta"])
    await events.aclose()
    assert closed == [True]


async def test_any_iterator_of_texts_will_do() -> None:
    class Once:
        done = False

        def __aiter__(self) -> Once:
            return self

        async def __anext__(self) -> str:
            if self.done:
                raise StopAsyncIteration
            self.done = True
            return json.dumps(STOP)

    assert [event async for event in ui_events(Once())] == [e.Finish("stop", "stop")]


@pytest.mark.parametrize("path", cases("kai-legacy", "*.sse"), ids=case_id)
async def test_older_shapes_say_what_kai_client_reads_in_them(path: Path) -> None:
    """Our events carry all that kai-client 0.12 makes of the same bytes (kai.md §11)."""
    recorded = json.loads(path.with_name(f"{path.stem}.events.json").read_text("utf-8"))
    events = [event async for event in ui_events(sse_data(response_of([path.read_bytes()])))]
    message = fold_stream(events)
    known = recorded["accumulated"]

    assert "".join(part.text for part in message.parts if isinstance(part, TextPart)) == known["text"]
    assert all(part.done for part in message.parts if isinstance(part, TextPart))
    usage = [event for event in events if isinstance(event, e.Usage)]
    assert sum(each.input or 0 for each in usage) == known["prompt_tokens"]
    assert sum(each.output or 0 for each in usage) == known["completion_tokens"]
    assert message.finish is not None
    if known["finished"]:
        assert (message.finish.raw_reason or "stop") == known["finish_reason"]
    else:
        assert message.finish.reason == "error"
    calls = {part.tool_call_id: part for part in message.tool_calls()}
    assert set(calls) == set(known["tool_calls"])
    for call_id, theirs in known["tool_calls"].items():
        ours = calls[call_id]
        assert theirs["tool_name"] in (None, ours.tool_name)
        assert ours.output == theirs["output"]
        assert theirs["input"] is None or ours.input == theirs["input"]
        approval = theirs["approval"] or {}
        assert ours.approval_id == approval.get("id")
        assert ours.state == ("approval-requested" if approval else theirs["state"])
    errors = [each for each in recorded["events"] if each["class"] == "ErrorEvent"]
    assert [(each.text, each.code) for each in events if isinstance(each, e.Error)] == [
        (each["message"], each.get("code")) for each in errors
    ]


ANY_DATA = st.one_of(
    st.text(max_size=20),
    st.sampled_from([json.dumps(each) for each in (START, TEXT, STOP, ERROR, {"type": "abort"})]),
    st.just("[DONE]"),
)


@examples(200)
@given(st.lists(ANY_DATA, max_size=40), st.booleans())
async def test_one_finish_whatever_comes(texts: list[str], breaks: bool) -> None:
    events: list[e.Event] = []
    try:
        async for event in ui_events(stream(texts, LOST if breaks else None)):
            events.append(event)
    except BackendError:
        assert breaks
        assert events == []
        return
    assert [isinstance(event, e.Finish) for event in events].count(True) == 1
    assert isinstance(events[-1], e.Finish)
    assert fold_stream(events).finish == events[-1]


async def test_a_server_that_leaves_the_line_open_after_done_does_not_hold_up_the_end(monkeypatch) -> None:
    monkeypatch.setattr("kai_tui.backends.ui_message_stream.SECONDS_AFTER_DONE", 0.01)

    async def open_line():
        yield '{"type":"finish","finishReason":"stop"}'
        yield "[DONE]"
        yield '{"type":"data-late","data":1}'
        await asyncio.Event().wait()

    events = [event async for event in ui_events(open_line())]
    assert isinstance(events[-1], e.Finish)
    assert events[-1].reason == "stop"
    assert any(isinstance(event, e.Data) for event in events)

"""The fold against every recording of the AI SDK's own reader (protocols/kai.md §7)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kai_tui.backends.sse import sse_data
from kai_tui.backends.ui_message_stream import ui_events
from kai_tui.conversation.chunks import events_from_chunk
from kai_tui.conversation.events import Event
from kai_tui.conversation.fold import FoldState, fold, fold_stream
from kai_tui.conversation.messages import Message
from tests.recordings import Recording, recording_id, recordings, response_of

ALL = recordings("ai-sdk", "ai-sdk-v7")
FOLLOWED = [each for each in ALL if not each.reference_stopped]
STOPPED = [each for each in ALL if each.reference_stopped]


def test_there_are_recordings() -> None:
    assert len(ALL) >= 72
    assert {each.name for each in STOPPED} >= set(WHERE_WE_GO_ON)


@pytest.mark.parametrize("recording", FOLLOWED, ids=recording_id)
def test_equals_the_reference(recording: Recording) -> None:
    message = fold_stream(recording.chunks, recording.continued)
    assert message.to_wire() == recording.expected
    assert message.errors == recording.reference.get("errors", [])
    finish = recording.reference.get("finishReason")
    assert (message.finish.raw_reason if message.finish else None) == finish


@pytest.mark.parametrize("recording", FOLLOWED, ids=recording_id)
async def test_equals_the_reference_from_the_bytes_on(recording: Recording) -> None:
    response = response_of([recording.body])
    events = [event async for event in ui_events(sse_data(response))]
    message = fold_stream(events, recording.continued)
    assert message.to_wire() == recording.expected


@pytest.mark.parametrize("recording", FOLLOWED, ids=recording_id)
def test_events_and_wire_objects_fold_alike_and_stay_as_they_were(recording: Recording) -> None:
    chunks, continued = copy.deepcopy(recording.chunks), copy.deepcopy(recording.continued)
    events: list[Event] = [event for chunk in chunks for event in events_from_chunk(chunk)]
    into = Message.from_wire(continued) if continued is not None else None
    before = into.to_wire() if into is not None else None
    assert fold_stream(events, into).to_wire() == recording.expected
    assert fold_stream(iter(chunks), continued).to_wire() == recording.expected
    assert chunks == recording.chunks
    assert continued == recording.continued
    assert into is None or into.to_wire() == before


@pytest.mark.parametrize("recording", ALL, ids=recording_id)
def test_a_message_survives_being_written_and_read(recording: Recording) -> None:
    wire = fold_stream(recording.chunks, recording.continued).to_wire()
    assert Message.from_wire(wire).to_wire() == wire


# Where the SDK's reader stops, ours notes the fault, goes on and loses nothing that can be read.
BEFORE_AND_AFTER = {"type": "text", "text": "Before. After.", "state": "done"}
WHERE_WE_GO_ON: dict[str, tuple[str, list[dict[str, Any]], str]] = {
    "broken-json": (
        "an event that is no JSON is left out",
        [{"type": "step-start"}, BEFORE_AND_AFTER],
        "no object",
    ),
    "broken-not-an-object": (
        "a chunk that is no object is left out",
        [{"type": "step-start"}, BEFORE_AND_AFTER],
        "no object: 42",
    ),
    "broken-unknown-type": (
        "a chunk of an unknown type is left out: newer servers add types",
        [{"type": "step-start"}, BEFORE_AND_AFTER],
        "unknown type text-sparkle",
    ),
    "broken-output-unknown-tool": (
        "a result nobody asked for, without even a name, is left out",
        [{"type": "step-start"}, BEFORE_AND_AFTER],
        "unknown call: nope",
    ),
    "broken-delta-without-start": (
        "text for a block that is not open opens one: it is text (kai.md §11)",
        [{"type": "step-start"}, BEFORE_AND_AFTER, {"type": "text", "text": "lost", "state": "done"}],
        "not open: 9",
    ),
}


@pytest.mark.parametrize("recording", STOPPED, ids=recording_id)
def test_goes_on_where_the_reference_stops(recording: Recording) -> None:
    message = fold_stream(recording.chunks, recording.continued)
    assert message.faults
    assert_begins_with(message.to_wire(), recording.expected)
    if recording.name in WHERE_WE_GO_ON:
        _, parts, fault = WHERE_WE_GO_ON[recording.name]
        assert message.to_wire()["parts"] == parts
        assert len(message.faults) == 1
        assert fault in message.faults[0]


def assert_begins_with(ours: dict[str, Any], reference: dict[str, Any]) -> None:
    """All the reference had when it stopped is there; blocks still open then may have gone on."""
    assert (ours["id"], ours["role"]) == (reference["id"], reference["role"])
    assert len(ours["parts"]) >= len(reference["parts"])
    for mine, theirs in zip(ours["parts"], reference["parts"], strict=False):
        assert mine["type"] == theirs["type"]
        if theirs.get("state") == "done" or "state" not in theirs:
            assert mine == theirs
        elif "text" in theirs:
            assert mine["text"].startswith(theirs["text"])
        else:
            assert mine.get("toolCallId") == theirs.get("toolCallId")


WITH_SNAPSHOTS = [each for each in FOLLOWED if each.path.with_name(f"{each.name}.snapshots.json").exists()]


@pytest.mark.parametrize("recording", WITH_SNAPSHOTS, ids=recording_id)
def test_passes_through_the_states_of_the_reference(recording: Recording) -> None:
    """After each visible change the reference's states, all and in order; ours may have more between."""
    message = Message.from_wire(recording.continued) if recording.continued else Message()
    state = FoldState()
    states = [message.to_wire()]
    for chunk in recording.chunks:
        for event in events_from_chunk(chunk):
            fold(message, event, state)
            states.append(message.to_wire())
    assert not_found_in_order(recording.snapshots, states) == []


def not_found_in_order(wanted: list[Any], states: list[Any]) -> list[Any]:
    missing: list[Any] = []
    at = 0
    for snapshot in wanted:
        found = next((index for index in range(at, len(states)) if states[index] == snapshot), None)
        if found is None:
            missing.append(snapshot)
        else:
            at = found
    return missing

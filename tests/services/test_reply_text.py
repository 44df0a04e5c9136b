"""The JSON of a reply while it is written: always what the whole message would give, at the cost of its newest part."""

from __future__ import annotations

import json
import time

import pytest

from kai_tui.conversation.chunks import events_from_chunk
from kai_tui.conversation.events import (
    Finish,
    TextDelta,
    TextEnd,
    TextStart,
    ToolInputAvailable,
    ToolOutputAvailable,
)
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message, part_from_wire
from kai_tui.services import reply_text
from kai_tui.services.reply_text import ReplyText
from kai_tui.storage.errors import StorageError
from kai_tui.storage.text import to_json
from tests.recordings import Recording, recording_id, recordings


@pytest.mark.some(30)
@pytest.mark.parametrize("recording", recordings("ai-sdk", "ai-sdk-v7"), ids=recording_id)
def test_after_every_event_of_a_recording_it_is_the_whole_message(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply_text, "KEPT_FROM", 0)
    message, state, text = Message(), FoldState(), ReplyText()
    for chunk in recording.chunks:
        for event in events_from_chunk(chunk):
            fold(message, event, state)
            assert text.of(message) == to_json(message.to_wire())


def test_a_part_that_is_no_object_and_halves_of_characters_are_kept_as_usual() -> None:
    message = Message(
        "a", "assistant", [part_from_wire(7), part_from_wire({"type": "text", "text": "x\ud800"})]
    )
    message.metadata = {"a": "\ud83d\ude00"}
    assert ReplyText().of(message) == to_json(message.to_wire())


def test_what_has_no_json_is_said_so() -> None:
    deep: list[object] = []
    for _ in range(200_000):
        deep = [deep]
    message = Message("a", "assistant", [part_from_wire({"type": "tool-x", "state": "output-available"})])
    message.parts[0].fields["output"] = deep
    with pytest.raises(StorageError):
        ReplyText().of(message)


def test_a_large_result_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    message, state, text = Message("a"), FoldState(), ReplyText()
    rows = [{"id": number, "name": f"row {number}", "region": "West"} for number in range(25_000)]
    for event in (
        ToolInputAvailable("c", "query_data", {}, {}),
        ToolOutputAvailable("c", {"rows": rows}, {}),
        TextStart("t"),
        TextDelta("t", "Here"),
    ):
        fold(message, event, state)
    assert len(text.of(message)) > 1_000_000
    encoded: list[int] = []
    dumps = json.dumps

    def counting(value: object, **options: object) -> str:
        found = dumps(value, **options)  # type: ignore[arg-type]
        encoded.append(len(found))
        return found

    monkeypatch.setattr(json, "dumps", counting)
    fold(message, TextDelta("t", " they are."), state)
    whole = text.of(message)
    assert sum(encoded) < 1_000
    monkeypatch.undo()
    assert whole == to_json(message.to_wire())
    fold(message, TextEnd("t"), state)
    fold(message, Finish("stop"), state)
    assert text.of(message) == to_json(message.to_wire())


@pytest.mark.slow
def test_a_checkpoint_of_a_megabyte_takes_no_frame() -> None:
    message = Message("a", "assistant", [part_from_wire({"type": "text", "text": "Wörter " * 150_000})])
    text = ReplyText()
    times: list[float] = []
    for _ in range(20):
        before = time.thread_time()
        text.of(message)
        times.append(time.thread_time() - before)
    assert min(times) < 0.016


def test_a_text_that_grows_costs_what_was_added(monkeypatch: pytest.MonkeyPatch) -> None:
    message, state, text = Message("a"), FoldState(), ReplyText()
    fold(message, TextStart("0"), state)
    encoded = 0

    def counted(value: dict[str, object]) -> str:
        nonlocal encoded
        found = to_json(value)
        encoded += len(found)
        return found

    monkeypatch.setattr(reply_text, "to_json", counted)
    for _ in range(50):
        fold(message, TextDelta("0", 'ten \n"\\\u2028\u00e9 more' * 100), state)
        text.of(message)
    assert text.of(message) == to_json(message.to_wire())
    assert encoded < 2 * len(text.of(message))

"""Waiting calls, answered copies, and the digest of what was shown (kai.md §9.1; reliability.md A5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kai_tui.backends.base import ToolAnswer
from kai_tui.conversation.approvals import digest, pending, respond
from kai_tui.conversation.fold import fold_stream
from kai_tui.conversation.messages import Message
from tests.recordings import Recording, recording_id, recordings


def asked(recording: Recording) -> Recording:
    """The stream whose questions this recording's request answers."""
    return Recording(recording.path.with_name(f"{recording.name.rpartition('.')[0]}.sse"))


def asking(recording: Recording) -> Message:
    """The message as folded before it was answered."""
    return fold_stream(asked(recording).chunks, asked(recording).continued)


def kept_everything(recording: Recording) -> bool:
    """Some recordings show what a server does when a client leaves fields of `approval` out."""
    posted = {
        part["toolCallId"]: part["approval"] for part in recording.continued["parts"] if "approval" in part
    }
    return all(
        part.tool_call_id in posted and posted[part.tool_call_id].keys() >= (part.approval or {}).keys()
        for part in pending(asking(recording))
    )


CONTINUED = [
    each
    for each in recordings("ai-sdk", "ai-sdk-v7")
    if each.continued is not None and asked(each).path.exists()
]
ANSWERED = [each for each in CONTINUED if kept_everything(each)]


def test_there_are_recordings() -> None:
    assert len(ANSWERED) >= 13
    assert len(CONTINUED) > len(ANSWERED)


@pytest.mark.parametrize("recording", ANSWERED, ids=recording_id)
def test_an_answered_message_is_what_the_sdk_posts(recording: Recording) -> None:
    message = asking(recording)
    waiting = {part.tool_call_id for part in pending(message)}
    posted: list[Any] = [part for part in recording.continued["parts"] if "approval" in part]
    answers = [
        ToolAnswer(
            part["toolCallId"],
            part["approval"]["approved"],
            part["approval"]["id"],
            part["approval"].get("reason"),
        )
        for part in posted
        if part["state"] == "approval-responded" and part["toolCallId"] in waiting
    ]
    assert answers
    before = message.to_wire()
    assert respond(message, answers).to_wire() == recording.continued
    assert message.to_wire() == before
    assert message.finish is not None


def waiting_message(**approval: Any) -> Message:
    part = {
        "type": "tool-run_job",
        "toolCallId": "c",
        "state": "approval-requested",
        "input": {},
        "approval": {"id": "a", **approval},
    }
    return Message.from_wire({"id": "m", "role": "assistant", "parts": [part]})


def test_an_answer_keeps_every_other_field() -> None:
    extra = {"signature": "s", "inputSchemaInput": None, "descriptor": {"x": 1}, "newer": [1]}
    [call] = respond(waiting_message(**extra), [ToolAnswer("c", True, "a")]).tool_calls()
    assert call.approval == {"id": "a", **extra, "approved": True}
    assert call.state == "approval-responded"


def test_an_answer_to_another_request_answers_nothing() -> None:
    message = waiting_message()
    for answer in (ToolAnswer("c", True, "other"), ToolAnswer("d", True, "a")):
        assert pending(respond(message, [answer]))
    assert not pending(respond(message, [ToolAnswer("c", False)]))
    answered = respond(message, [ToolAnswer("c", False, "a", "no")])
    again = respond(answered, [ToolAnswer("c", True, "a")])
    assert again.tool_calls()[0].approval == {"id": "a", "approved": False, "reason": "no"}


def test_requests_the_server_answers_itself_do_not_wait() -> None:
    assert pending(waiting_message())
    assert not pending(waiting_message(isAutomatic=True))


def test_a_continued_message_is_not_finished() -> None:
    recording = ANSWERED[0]
    message = asking(recording)
    message.errors.append("seen")
    answered = respond(message, [])
    assert answered.finish is None
    assert answered.errors == message.errors
    assert answered.errors is not message.errors


def test_a_digest_tells_every_difference_and_no_other() -> None:
    shown = ("a", "c", "run_job", {"x": [1, "é"], "y": None})
    same = json.loads('{"y": null, "x": [1, "\\u00e9"]}')
    assert digest(*shown) == digest("a", "c", "run_job", same)
    assert len(digest(*shown)) == 64
    others = [
        ("b", "c", "run_job", shown[3]),
        (None, "c", "run_job", shown[3]),
        ("a", "d", "run_job", shown[3]),
        ("a", "c", "run_jobs", shown[3]),
        ("a", "c", "run_job", {"x": [1, "e"], "y": None}),
        ("a", "c", "run_job", {"x": [True, "é"], "y": None}),
        ("a", "c", "run_job", {"x": [1, "é"]}),
        ("a", "c", "run_job", '{"x": [1, "é"], "y": null}'),
        ("a", "c", "run_job", {"x": [1, "é\ud800"], "y": None}),
        ("a", "c", "run_job", {"x": [1, "é\ud801"], "y": None}),
    ]
    assert len({digest(*shown), *(digest(*other) for other in others)}) == len(others) + 1

"""Every recorded answer gives the message the vendor's own decoder makes of it, however its bytes are cut."""

from __future__ import annotations

from typing import Any

import pytest

from kai_tui.conversation.events import ResetStep
from tests.backends.assistant_ui.captures import (
    Capture,
    Read,
    asks,
    captures,
    cuts,
    read,
    response_of,
    vendor,
)


def expected_parts(reference: Any) -> list[Any]:
    """The vendor's parts in our words."""
    found: list[Any] = []
    for part in reference["parts"]:
        about = (
            {"providerMetadata": {"assistantUi": {"parentId": part["parentId"]}}}
            if "parentId" in part
            else {}
        )
        match part["type"]:
            case "text" | "reasoning" as kind:
                found.append({"type": kind, "text": part["text"], **about})
            case "tool-call":
                call = {
                    "type": f"tool-{part['toolName']}",
                    "toolCallId": part["toolCallId"],
                    "input": part["args"],
                }
                if part.get("isError"):
                    call["errorText"] = next(iter(part["result"].values()))
                elif "result" in part:
                    call["output"] = part["result"]
                if "artifact" in part:
                    call["toolMetadata"] = {"artifact": part["artifact"]}
                found.append(call)
            case "source":
                source = {"type": "source-url", "url": part["url"], "sourceId": part["id"], **about}
                found.append({**source, "title": part["title"]} if "title" in part else source)
            case "file":
                url = f"data:{part['mimeType']};base64,{part['data']}"
                found.append({"type": "file", "mediaType": part["mimeType"], "url": url})
    return found


def plain_parts(result: Read) -> list[Any]:
    """Our parts without states and ids of blocks."""
    dropped = {"state", "approval"}
    return [
        {
            key: value
            for key, value in part.items()
            if key not in dropped and not (key == "id" and part["type"] == "reasoning")
        }
        for part in result.shown
        if not part["type"].startswith("data-")
    ]


def normal(state: Any) -> Any:
    """A state with its lists as objects, as it is when it began as null."""
    if isinstance(state, list):
        return {str(index): normal(item) for index, item in enumerate(state)}
    return {key: normal(value) for key, value in state.items()} if isinstance(state, dict) else state


CAPTURES = captures()
BY_PARTS = [
    each
    for each in CAPTURES
    if (ref := vendor(each.name)) is not None and (ref["parts"] or "ui-04" in each.name)
]


async def every_way(capture: Capture) -> list[Read]:
    """Whole, byte by byte, in random pieces: all the same."""
    ways = [[capture.body], [capture.body[i : i + 1] for i in range(len(capture.body))]]
    ways += [cuts(capture.body, seed) for seed in range(8)]
    return [
        await read(
            response_of(pieces, capture.headers, broken=capture.cut),
            waits=asks("ask_user"),
            state=capture.state,
        )
        for pieces in ways
    ]


def test_there_are_recordings_of_all_folders():
    assert {each.name.split("/")[0] for each in CAPTURES} >= {
        "hello-world", "js-library", "langgraph-backend", "library-encoders", "state-test", "transport-backend",
    }  # fmt: skip
    assert len(CAPTURES) >= 69
    assert len(BY_PARTS) >= 50


@pytest.mark.some(30)
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda each: each.name)
async def test_the_message_is_the_same_however_the_bytes_are_cut(capture: Capture):
    first, *others = await every_way(capture)
    for other in others:
        assert other.parts == first.parts
        assert other.finish == first.finish
        assert other.message.errors == first.message.errors
        assert other.tree.plain() == first.tree.plain()


@pytest.mark.parametrize("capture", BY_PARTS, ids=lambda each: each.name)
async def test_the_parts_are_those_of_the_vendors_decoder(capture: Capture):
    reference = vendor(capture.name)
    result = await read(
        response_of([capture.body], capture.headers, broken=capture.cut), waits=asks("ask_user")
    )
    ours = plain_parts(result)
    if "ui-05" in capture.name:  # goes on with a message that only a client of the AI SDK has
        ours = [part for part in ours if part["type"] == "text"]
    assert ours == expected_parts(reference)
    assert not any(isinstance(event, ResetStep) for event in result.events)
    status = reference["status"]
    if capture.cut and status["type"] != "incomplete":
        assert result.finish.reason == "lost"
    elif status["type"] == "requires-action":
        assert result.finish.reason == "tool-calls"
    elif status["type"] == "incomplete":
        assert result.finish.reason == "error"
        assert result.message.errors == [status["error"]["message"]]
        assert result.finish.detail == status["error"]["message"]
    else:
        assert result.finish.reason in ("stop", "unknown")
    data = [part["data"] for part in result.shown if part["type"] == "data-aui"]
    assert data == (reference["data"] or [])
    notes = [part["data"] for part in result.shown if part["type"] == "data-annotation"]
    assert notes == (reference["annotations"] or [])


@pytest.mark.parametrize(
    "capture", [each for each in CAPTURES if (ref := vendor(each.name)) and ref["state"] is not None],
    ids=lambda each: each.name,
)  # fmt: skip
async def test_the_state_is_that_of_the_vendors_decoder(capture: Capture):
    result = await read(response_of([capture.body], capture.headers, broken=capture.cut), state=None)
    assert normal(result.tree.plain()) == normal(vendor(capture.name)["state"])

"""What the fake iMBRACE's agents say: the recorded streams by key word, else an echo of the message."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from tests.fixture_cases import FIXTURES

RECORDED = {
    "reason": "12-stream-reasoning",
    "add a todo": "13-stream-tool-auto",
    "twotools": "14-stream-tool-two",
    "badargs": "15-stream-tool-bad-input",
    "approve": "16-stream-approval-request",
    "makedoc": "21-stream-document",
    "unicode": "22-stream-unicode",
    "length": "23-stream-finish-length",
    "empty": "24-stream-empty",
    "fail401": "30-stream-model-error",
    "midfail": "32-stream-upstream-cut",
}
APPROVED = "17-approval-approved"
DENIED = "19-approval-denied"
SLOW_WORDS = 200


def body_of(name: str) -> bytes:
    """The recorded body of an answer."""
    return (FIXTURES / "imbrace" / f"{name}.body").read_bytes()


def chunks_of(body: bytes) -> list[Any]:
    """The chunks of a recorded stream, read without any code of ours."""
    return [
        json.loads(line[6:])
        for line in body.decode().split("\n\n")
        if line.startswith("data: ") and line != "data: [DONE]"
    ]


def answer_to(text: str, chat_id: str, message_id: str, *, thinks: bool = True) -> list[Any]:
    """The chunks of an answer, with ids of its own."""
    for word, name in RECORDED.items():
        if word in text:
            name = "25-stream-reasoning-hidden" if word == "reason" and not thinks else name
            return [_fitted(chunk, chat_id, message_id) for chunk in chunks_of(body_of(name))]
    if "team" in text:
        return list(team(message_id))
    if "slow" in text:
        words = [f"word{number} " for number in range(SLOW_WORDS)]
    else:
        words = [f"{word} " for word in f"Hello from the stub model. You said: {text}".split(" ")]
        words[-1] = words[-1].rstrip(" ")
    return list(spoken(words, message_id))


def spoken(words: list[str], message_id: str) -> Iterator[Any]:
    """One step with only text."""
    yield {"type": "start", "messageId": message_id}
    yield {"type": "start-step"}
    yield {"type": "text-start", "id": "txt-0"}
    for word in words:
        yield {"type": "text-delta", "id": "txt-0", "delta": word}
    yield {"type": "text-end", "id": "txt-0"}
    yield {"type": "finish-step"}
    yield {"type": "finish"}


def team(message_id: str) -> Iterator[Any]:
    """A team lead and one sub-agent (imbrace.md §4; this is not among the recordings)."""

    def sub(kind: str, **data: Any) -> Any:
        names = {"agent_name": "Researcher", "session_id": "ses_1"}
        return {"type": f"data-sub-agent-{kind}", "transient": True, "data": {**names, **data}}

    yield {"type": "start", "messageId": message_id}
    yield {"type": "start-step"}
    yield sub("start", parent_session_id="ses_0", assistant_id="asst_sub")
    for word in ("Looking ", "it ", "up."):
        yield sub("text-delta", text=word)
    yield sub("tool-call", tool_name="web_search", tool_call_id="call_w1")
    yield sub("tool-result", tool_name="web_search", tool_call_id="call_w1")
    yield sub("flow-editor-open", flow_id="flow_1", message="Open the flow to check it")
    yield sub("end", success=True)
    yield {"type": "text-start", "id": "txt-0"}
    yield {"type": "text-delta", "id": "txt-0", "delta": "Done."}
    yield {"type": "text-end", "id": "txt-0"}
    yield {"type": "finish-step"}
    yield {"type": "finish"}


def decided(part: Any, message_id: str) -> list[Any]:
    """The continuation after a decision about one call."""
    approved = part["approval"]["approved"]
    chunks = chunks_of(body_of(APPROVED if approved else DENIED))
    found: list[Any] = []
    for chunk in chunks:
        if chunk["type"] == "start":
            chunk["messageId"] = message_id
        if "toolCallId" in chunk:
            chunk["toolCallId"] = part["toolCallId"]
        found.append(chunk)
    return found


def stored(chunks: list[Any], parts: list[Any] | None = None) -> list[Any]:
    """The parts the server keeps of an answer: no reasoning, nothing transient (imbrace.md §8)."""
    parts = list(parts or [])
    by_call = {part["toolCallId"]: part for part in parts if "toolCallId" in part}
    text: Any = None
    error = ""
    for chunk in chunks:
        call_id = chunk.get("toolCallId")
        match chunk["type"]:
            case "start-step":
                parts.append({"type": "step-start"})
            case "text-start":
                text = {"type": "text", "text": "", "state": "done"}
                parts.append(text)
            case "text-delta":
                text["text"] += chunk["delta"]
            case "tool-input-available" | "tool-input-error":
                part = {
                    "type": f"tool-{chunk['toolName']}",
                    "toolCallId": call_id,
                    "state": "input-available",
                }
                part["input"] = chunk["input"]
                by_call[call_id] = part
                parts.append(part)
            case "tool-approval-request":
                by_call[call_id]["state"] = "approval-requested"
                by_call[call_id]["approval"] = {"id": chunk["approvalId"]}
            case "tool-output-available":
                by_call[call_id].update(state="output-available", output=chunk["output"])
            case "tool-output-error":
                by_call[call_id].update(state="output-error", errorText=chunk["errorText"])
            case "tool-output-denied":
                by_call[call_id]["state"] = "output-denied"
            case "error":
                error = error or chunk["errorText"]
            case _:
                pass
    return parts or ([{"type": "text", "text": error}] if error else [])


def _fitted(chunk: Any, chat_id: str, message_id: str) -> Any:
    """The chunk of a recording, with this turn's ids."""
    if chunk["type"] == "start":
        return {**chunk, "messageId": message_id}
    if chunk["type"] == "tool-approval-request":
        return {**chunk, "approvalId": f"aitxt-{uuid.uuid4().hex[:24]}"}
    data = chunk.get("data")
    if isinstance(data, dict) and "chatId" in data:
        return {**chunk, "data": {**data, "chatId": chat_id}}
    return chunk

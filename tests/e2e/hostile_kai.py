"""A Kai (the older service) whose every word is a payload: titles, texts, tools, results, errors, names."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.e2e.odd_stacks import Asked

PER_CHAT = 3
"""Payloads in one stored chat: so many fit on a tall screen, each in every kind of part."""

Texts = Sequence[tuple[str, str]]
"""Name and payload."""


def chat_id(number: int) -> str:
    """The id of the chat whose title is that payload."""
    return str(uuid.UUID(int=number + 1, version=4))


class HostileKai:
    """Answers requests; to be used with `answering`.

    - The history has one chat per payload, titled with it.
    - Chat `n` holds the payloads from `n` on, each in a message with every kind of part.
    - Sending `say n` streams the same, live; `ask n` asks for an approval, `form n` for answers; `refuse n` is refused.
    - Deleting is always refused, with the chat's payload.
    """

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self._asked: dict[str, list[dict[str, Any]]] = {}
        """Messages of the chats in which approvals were asked for: they are read again before an answer goes out."""

    def __call__(self, asked: Asked) -> tuple[int, str, bytes]:
        parts = urlsplit(asked.path)
        path, query = parts.path, parse_qs(parts.query)
        if path == "/ping":
            return self._json({"timestamp": "2026-05-04T09:00:00.000Z"})
        if path == "/api":
            return self._json({"appName": self.texts[0][1], "appVersion": self.texts[1][1]})
        if path == "/api/history":
            return self._json({"chats": [self._row(n) for n in range(len(self.texts))], "hasMore": False})
        if path == "/api/vote":
            return self._json([])
        if path == "/api/chat" and asked.method == "DELETE":
            number = uuid.UUID(query["id"][0])
            return self._refusal(next(n for n in range(len(self.texts)) if chat_id(n) == str(number)))
        if path == "/api/chat":
            return self._reply(json.loads(asked.body))
        if path.startswith("/api/chat/"):
            chat = path.rpartition("/")[2]
            if chat in self._asked:
                return self._json({**self._row(0), "id": chat, "messages": self._asked[chat]})
            for number in range(len(self.texts)):
                if chat == chat_id(number):
                    return self._json(self._chat(number))
        return self._json({"code": "not_found:chat", "message": "gone"}, 404)

    def _json(self, body: Any, status: int = 200) -> tuple[int, str, bytes]:
        return status, "application/json", json.dumps(body).encode()

    def _refusal(self, number: int) -> tuple[int, str, bytes]:
        text = self.texts[number][1]
        return self._json({"code": "bad_request:api", "message": text, "cause": text}, 400)

    def _row(self, number: int) -> dict[str, Any]:
        when = f"2026-05-04T09:{59 - number // 60:02}:{59 - number % 60:02}.000Z"
        title = self.texts[number][1]
        return {
            "id": chat_id(number),
            "title": title,
            "createdAt": when,
            "updatedAt": when,
            "visibility": "private",
            "userId": "u",
        }

    def _chat(self, number: int) -> dict[str, Any]:
        messages: list[dict[str, Any]] = []
        for n in range(number, min(number + PER_CHAT, len(self.texts))):
            text = self.texts[n][1]
            messages += [
                {"id": f"u{n}", "role": "user", "parts": [{"type": "text", "text": text}]},
                {"id": f"a{n}", "role": "assistant", "parts": _parts(n, text)},
            ]
        return {**self._row(number), "messages": messages}

    def _reply(self, body: dict[str, Any]) -> tuple[int, str, bytes]:
        parts = body["message"]["parts"]
        if body["message"]["role"] == "assistant":
            self._asked[body["id"]][-1] = body["message"]
            return _stream(
                [
                    {"type": "start", "messageId": body["message"]["id"]},
                    *_text("t", "It was denied: nothing changed."),
                    _END,
                ]
            )
        what, _, which = parts[0]["text"].partition(" ")
        number = int(which)
        text = self.texts[number][1]
        if what == "refuse":
            return self._refusal(number)
        if what in ("ask", "form"):
            arguments: dict[str, Any] = {text: text, "list": [text, {text: 1}], "name": text}
            tool = text
            if what == "form":
                tool, arguments = "ask_user", {"questions": _questions(text), "reason": text}
            call = {"type": "dynamic-tool", "toolName": tool, "toolCallId": f"c{number}", "input": arguments}
            waits = {"state": "approval-requested", "approval": {"id": f"ap{number}"}}
            self._asked.setdefault(body["id"], []).extend(
                [body["message"], {"id": f"q{number}", "role": "assistant", "parts": [{**call, **waits}]}]
            )
            return _stream(
                [
                    {"type": "start", "messageId": f"q{number}"},
                    *_call(f"c{number}", tool, arguments),
                    {
                        "type": "tool-approval-request",
                        "approvalId": f"ap{number}",
                        "toolCallId": f"c{number}",
                    },
                    _END,
                ]
            )
        return _stream(
            [
                {"type": "start"},
                {"type": "data-chat-title", "data": text},
                {"type": "data-" + text, "data": {text: text}},
                {"type": "reasoning-start", "id": "r"},
                {"type": "reasoning-delta", "id": "r", "delta": text},
                {"type": "reasoning-end", "id": "r"},
                *_text("t", f"<{number}> {text}"),
                *_call("c1", text, {text: text, "name": text}),
                {"type": "tool-output-available", "toolCallId": "c1", "output": {text: [text]}},
                *_call("c2", "query_data", {"query_name": text, "sql_query": text}),
                {"type": "tool-output-error", "toolCallId": "c2", "errorText": text},
                {"type": "source-url", "sourceId": "s", "url": f"https://x.example/{text}", "title": text},
                {"type": "file", "url": f"https://x.example/{text}", "mediaType": text, "filename": text},
                {"type": text, text: text},
                {"type": "error", "errorText": text},
            ]
        )


def _questions(text: str) -> list[dict[str, Any]]:
    """Of every kind, made of a payload."""
    options = [text, {"label": f"{text} 2", "description": text}]
    return [
        {"id": text, "header": text, "question": text, "options": options},
        {"question": f"{text}?", "options": options, "multiSelect": True, text: text},
    ]


_END = {"type": "finish", "finishReason": "stop"}


def _text(block: str, text: str) -> list[dict[str, Any]]:
    """A text in single characters, so that every payload is cut everywhere."""
    return [
        {"type": "text-start", "id": block},
        *({"type": "text-delta", "id": block, "delta": letter} for letter in text),
        {"type": "text-end", "id": block},
    ]


def _call(call_id: str, tool: str, arguments: Any) -> list[dict[str, Any]]:
    return [
        {"type": "tool-input-start", "toolCallId": call_id, "toolName": tool, "dynamic": True},
        {
            "type": "tool-input-available",
            "toolCallId": call_id,
            "toolName": tool,
            "input": arguments,
            "dynamic": True,
        },
    ]


def _parts(number: int, text: str) -> list[dict[str, Any]]:
    """Every kind of part, as a server stores them."""
    return [
        {"type": "step-start"},
        {"type": "reasoning", "text": text, "state": "done"},
        {"type": "text", "text": f"<{number}> {text}", "state": "done"},
        {
            "type": "dynamic-tool",
            "toolName": text,
            "toolCallId": f"t{number}",
            "state": "output-available",
            "input": {text: text, "name": text},
            "output": {text: [text, {"rows": text}]},
        },
        {
            "type": "tool-query_data",
            "toolCallId": f"e{number}",
            "state": "output-error",
            "input": {"query_name": text, "sql_query": text},
            "errorText": text,
        },
        {"type": "source-url", "sourceId": "s", "url": f"https://x.example/{text}", "title": text},
        {"type": "file", "url": f"https://x.example/{text}", "mediaType": text, "filename": text},
        {"type": "data-" + text, "data": {text: text}},
        {"type": text, "text": text},
    ]


def _stream(chunks: list[dict[str, Any]]) -> tuple[int, str, bytes]:
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return 200, "text/event-stream", ("".join(lines) + "data: [DONE]\n\n").encode()

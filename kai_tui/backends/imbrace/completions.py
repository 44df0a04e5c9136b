"""A bare model as an agent: the OpenAI-compatible completion endpoint (SDK 1.3.1, `ai.complete`, `ai.stream`).

`POST {gateway}/v3/ai/completions` with OpenAI's body answers with OpenAI's chunks as server-sent events, or
with one JSON object. Nothing is stored: what was said before is sent along each time. Public reports name
gateways where the endpoint is missing (404); that is said as such.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from kai_tui.backends.base import AnswerTooLarge, BackendError, UnexpectedAnswer
from kai_tui.backends.http import EVENT_STREAM, MAX_ANSWER, media_type_of
from kai_tui.backends.sse import sse_data
from kai_tui.backends.tolerant import whole
from kai_tui.conversation.chunks import finish_reason
from kai_tui.conversation.events import (
    Error,
    Event,
    Finish,
    JsonObject,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    Skipped,
    Start,
    TextDelta,
    TextEnd,
    TextStart,
    Usage,
)
from kai_tui.conversation.json_text import BadJson, decode_json
from kai_tui.conversation.messages import Message

if TYPE_CHECKING:
    import httpx

ACCEPTS: Final = (*EVENT_STREAM, "application/json")
MAX_REMEMBERED: Final = 400_000
"""Characters of a conversation that are sent along; the oldest go first."""

_DONE: Final = "[DONE]"
_MAX_BROKEN: Final = 20


def transcript(earlier: Iterable[Message], text: str) -> list[dict[str, str]]:
    """What to send for a new message of the user, after what was said before: the endpoint remembers nothing."""
    said = [{"role": each.role, "content": whole(each.text)} for each in earlier if each.text.strip()]
    return _shortened([*said, {"role": "user", "content": whole(text)}])


def _shortened(said: list[dict[str, str]]) -> list[dict[str, str]]:
    size = sum(len(each["content"]) for each in said)
    at = 0
    while size > MAX_REMEMBERED and at < len(said) - 1:
        size -= len(said[at]["content"])
        at += 1
    return said[at:]


async def completion_events(response: httpx.Response) -> AsyncGenerator[Event, None]:
    """The events of one completion, streamed or whole, `Finish` last."""
    chunks = OpenAiChunks()
    try:
        if media_type_of(response) == "application/json":
            for event in chunks.whole(await _json(response)):
                yield event
        else:
            async with aclosing(sse_data(response)) as data:
                async for event in _streamed(data, chunks):
                    yield event
    except BackendError as error:
        if not chunks.begun:
            raise
        chunks.broken_by = error
    for event in chunks.end():
        yield event


async def _streamed(data: AsyncIterator[str], chunks: OpenAiChunks) -> AsyncGenerator[Event, None]:
    async for text in data:
        if text.strip() == _DONE:
            chunks.done = True
            return
        for event in chunks.take_text(text):
            yield event
        if chunks.unreadable:
            return


class OpenAiChunks:
    """OpenAI's chunks → events. Text of all choices but the first is left out."""

    def __init__(self) -> None:
        self.begun = False
        self.done = False
        """`[DONE]` came."""
        self.broken_by: BackendError | None = None
        self._finish: Finish | None = None
        self._error: str | None = None
        self._open: str = ""
        self._blocks = 0
        self._broken = 0

    @property
    def unreadable(self) -> bool:
        """Too much in a row was no JSON."""
        return self._broken > _MAX_BROKEN

    def take_text(self, text: str) -> list[Event]:
        """The events of one chunk as it came."""
        try:
            chunk = decode_json(text)
        except BadJson as error:
            self._broken += 1
            return [Skipped(str(error), text)]
        self._broken = 0
        return self.take(chunk)

    def take(self, chunk: Any) -> list[Event]:
        """The events of one chunk."""
        if not isinstance(chunk, dict):
            return [Skipped("a chunk that is no object", chunk)]
        fields = cast("JsonObject", chunk)
        events = self._began(fields)
        error = _error_of(fields)
        if error:
            self._error = self._error or error
            events.append(Error(error))
        choice = _first(fields.get("choices"))
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            delta = choice.get("message")
        if isinstance(delta, dict):
            events += self._said(cast("JsonObject", delta))
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and self._finish is None:
            self._finish = Finish(finish_reason(reason), reason)
        usage = fields.get("usage")
        if isinstance(usage, dict):
            events.append(_usage(cast("JsonObject", usage)))
        return events

    def whole(self, body: Any) -> list[Event]:
        """A completion that came in one piece, perhaps inside `{"success", "data"}`."""
        if isinstance(body, dict):
            fields = cast("JsonObject", body)
            inner = fields.get("data")
            if "choices" not in fields and isinstance(inner, dict):
                body = cast("JsonObject", inner)
        self.done = True
        return self.take(cast("Any", body))

    def end(self) -> list[Event]:
        """The end of the stream: whatever is open closes, and one Finish."""
        return [*self._closed(), replace(self._conclusion(), stored=False)]

    def _conclusion(self) -> Finish:
        if self.unreadable:
            return Finish("lost", detail="Too much of the reply was unreadable.")
        if self._finish is not None and self._error is None:
            return self._finish
        if self._error is not None:
            return Finish("error", detail=self._error)
        if self.done:
            return Finish("unknown")
        detail = self.broken_by.sentence if self.broken_by is not None else "Connection lost."
        return Finish("lost", detail=detail)

    def _began(self, fields: JsonObject) -> list[Event]:
        if self.begun:
            return []
        self.begun = True
        answer_id = fields.get("id")
        return [Start(answer_id if isinstance(answer_id, str) and answer_id else None)]

    def _said(self, delta: JsonObject) -> list[Event]:
        events: list[Event] = []
        for kind, names in (("reasoning", ("reasoning_content", "reasoning")), ("text", ("content",))):
            text = next((delta[name] for name in names if isinstance(delta.get(name), str)), "")
            if not text:
                continue
            if self._open != kind:
                events += self._closed()
                self._open = kind
                self._blocks += 1
                block = str(self._blocks)
                events.append(TextStart(block) if kind == "text" else ReasoningStart(block))
            block = str(self._blocks)
            events.append(TextDelta(block, text) if kind == "text" else ReasoningDelta(block, text))
        return events

    def _closed(self) -> list[Event]:
        kind, self._open = self._open, ""
        block = str(self._blocks)
        if kind == "text":
            return [TextEnd(block)]
        return [ReasoningEnd(block)] if kind else []


async def _json(response: httpx.Response) -> Any:
    content = await _read_whole(response)
    try:
        return decode_json(content)
    except BadJson:
        host = response.url.host or "The server"
        raise UnexpectedAnswer(
            f"{host} gave an answer this program does not understand.", code="shape"
        ) from None


async def _read_whole(response: httpx.Response) -> bytes:
    """The body of an opened answer, at most `MAX_ANSWER` bytes. Raises AnswerTooLarge."""
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER:
            raise AnswerTooLarge(
                f"The answer was too large (over {MAX_ANSWER // 2**20} MiB).", code="too-large"
            )
    return bytes(content)


def _first(choices: Any) -> JsonObject:
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return cast("JsonObject", choices[0])
    return {}


def _error_of(fields: JsonObject) -> str:
    error: Any = fields.get("error")
    if isinstance(error, dict):
        error = cast("JsonObject", error).get("message") or "Unknown error"
    return error if isinstance(error, str) else ""


def _usage(counts: JsonObject) -> Usage:
    def count(name: str) -> int | None:
        value = counts.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        return value if 0 <= value < 2**53 else None

    return Usage(count("prompt_tokens"), count("completion_tokens"), count("total_tokens"))

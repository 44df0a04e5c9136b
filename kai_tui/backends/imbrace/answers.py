"""An agent's answer as events: streamed, or in one piece (imbrace.md §4, §5)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from kai_tui.backends.base import AnswerTooLarge, BackendError
from kai_tui.backends.failures import TRANSPORT_ERRORS, from_exception
from kai_tui.backends.http import EVENT_STREAM, MAX_ANSWER, media_type_of
from kai_tui.backends.imbrace.completions import OpenAiChunks
from kai_tui.backends.imbrace.live import LiveParts
from kai_tui.backends.turns import Reader, ui_message_events
from kai_tui.conversation.events import (
    Event,
    Finish,
    FinishStep,
    JsonObject,
    Skipped,
    Start,
    StartStep,
    TextDelta,
    TextEnd,
    TextStart,
)

if TYPE_CHECKING:
    import httpx

ACCEPTS: Final = (*EVENT_STREAM, "text/plain")

_BLOCK: Final = "0"
_WRAPPED: Final = re.compile(r"session_id: ([^\n]*)\n\s*<chat_result>\n(.*?)\n?</chat_result>\s*", re.DOTALL)


def reader_for(chat_id: str) -> Reader:
    """The reader of the answers in one chat."""

    async def read(response: httpx.Response) -> AsyncGenerator[Event, None]:
        plain = media_type_of(response) == "text/plain"
        events = plain_events(response, chat_id) if plain else streamed_events(response)
        async with aclosing(events):
            async for event in events:
                yield event

    return read


async def streamed_events(response: httpx.Response) -> AsyncGenerator[Event, None]:
    """A UI message stream, with documents and sub-agents as parts that grow."""
    live, fallback = LiveParts(), _OpenAiFallback()
    async with aclosing(ui_message_events(response)) as events:
        async for event in events:
            for each in live.take(event):
                for said in fallback.take(each):
                    yield said


async def plain_events(response: httpx.Response, chat_id: str) -> AsyncGenerator[Event, None]:
    """The whole answer as one block. The server keeps nothing of it (§5)."""
    content, broken = await _as_much_as_came(response)
    text = unwrapped(content.decode("utf-8", "replace"), chat_id)
    if broken is not None and not text:
        raise broken
    yield Start()
    yield StartStep()
    if text:
        yield TextStart(_BLOCK)
        yield TextDelta(_BLOCK, text)
        yield TextEnd(_BLOCK)
    yield FinishStep()
    if broken is None:
        yield Finish("stop", stored=False)
    else:
        yield Finish("lost", detail=broken.sentence, stored=False)


def unwrapped(text: str, chat_id: str) -> str:
    """The answer inside the frame some agents put around it, if the frame is this chat's own."""
    found = _WRAPPED.fullmatch(text)
    return found.group(2) if found is not None and found.group(1).strip() == chat_id else text


async def _as_much_as_came(response: httpx.Response) -> tuple[bytes, BackendError | None]:
    content = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > MAX_ANSWER:
                too_large = AnswerTooLarge(
                    f"The reply was too large (over {MAX_ANSWER // 2**20} MiB); its rest was left out.",
                    code="too-large",
                )
                return bytes(content[:MAX_ANSWER]), too_large
    except TRANSPORT_ERRORS as error:
        return bytes(content), from_exception(error, response.url.host or "The server")
    return bytes(content), None


class _OpenAiFallback:
    """OpenAI's chunks inside a UI message stream: the SDK takes them, so they may exist (§4)."""

    def __init__(self) -> None:
        self._chunks: OpenAiChunks | None = None

    def take(self, event: Event) -> list[Event]:
        """The events to hand on for this one."""
        if isinstance(event, Skipped) and isinstance(event.raw, dict):
            raw = cast("JsonObject", event.raw)
            if "type" not in raw and isinstance(raw.get("choices"), list):
                if self._chunks is None:
                    self._chunks = OpenAiChunks()
                return self._chunks.take(raw)
        if isinstance(event, Finish) and self._chunks is not None:
            *rest, finish = self._chunks.end()
            ended = cast("Finish", finish)
            if event.reason == "lost" and ended.reason not in ("lost", "unknown"):
                return [*rest, replace(ended, stored=None)]
            return [*rest, event]
        return [event]

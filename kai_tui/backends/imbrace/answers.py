"""An agent's answer as events: streamed, or in one piece (imbrace.md §4, §5)."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from kai_tui.backends.base import AnswerTooLarge
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
_BEGINNING: Final = (Start(), StartStep(), TextStart(_BLOCK))
_FRAME: Final = "session_id: "
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
    """The answer as one block, as it comes. The server keeps nothing of it (§5)."""
    plain, broken, size, begun = _Plain(chat_id), None, 0, False
    try:
        async for chunk in response.aiter_bytes():
            text = plain.take(chunk[: MAX_ANSWER - size])
            size += len(chunk)
            if text:
                if not begun:
                    begun = True
                    for event in _BEGINNING:
                        yield event
                yield TextDelta(_BLOCK, text)
            if size > MAX_ANSWER:
                sentence = f"The reply was too large (over {MAX_ANSWER // 2**20} MiB); its rest was left out."
                broken = AnswerTooLarge(sentence, code="too-large")
                break
    except TRANSPORT_ERRORS as error:
        broken = from_exception(error, response.url.host or "The server")
    rest = plain.rest()
    if broken is not None and not rest and not begun:
        raise broken
    if rest:
        for event in () if begun else _BEGINNING:
            yield event
        yield TextDelta(_BLOCK, rest)
    if begun or rest:
        yield TextEnd(_BLOCK)
    else:
        yield Start()
        yield StartStep()
    yield FinishStep()
    if broken is None:
        yield Finish("stop", stored=False)
    else:
        yield Finish("lost", detail=broken.sentence, stored=False)


class _Plain:
    """Text as it comes; what may be inside a frame only when all of it is there."""

    def __init__(self, chat_id: str) -> None:
        self._chat_id = chat_id
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._held: str | None = ""
        """What may be the beginning of a frame; None once it is not."""

    def take(self, data: bytes) -> str:
        """What can be shown of it now."""
        text = self._decoder.decode(data)
        if self._held is None:
            return text
        self._held += text
        if self._held.startswith(_FRAME[: len(self._held)]):
            return ""
        text, self._held = self._held, None
        return text

    def rest(self) -> str:
        """What is left at the end."""
        return unwrapped((self._held or "") + self._decoder.decode(b"", final=True), self._chat_id)


def unwrapped(text: str, chat_id: str) -> str:
    """The answer inside the frame some agents put around it, if the frame is this chat's own."""
    found = _WRAPPED.fullmatch(text)
    return found.group(2) if found is not None and found.group(1).strip() == chat_id else text


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

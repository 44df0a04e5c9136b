"""The AI SDK's UI message stream as events: what Kai, iMBRACE and Assistant UI write.

Protocol: protocols/kai.md §5, §6, §11. What goes wrong inside a stream: reliability.md §3.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final, cast

from kai_tui.backends.base import AnswerTooLarge, BackendError
from kai_tui.backends.joined_deltas import joined_deltas
from kai_tui.conversation.chunks import events_from_chunk
from kai_tui.conversation.events import (
    Abort,
    Error,
    Event,
    Finish,
    FinishReason,
    MessageMetadata,
    Skipped,
    TextDelta,
)
from kai_tui.conversation.json_text import BadJson, decode_json

MAX_BROKEN_IN_A_ROW: Final = 20
MAX_BROKEN_SHARE: Final = 0.05
"""Of at least 100 events. Beyond either the stream counts as lost."""

SECONDS_AFTER_DONE: Final = 2.0
"""`[DONE]` is not the end (kai.md §5), but a server that leaves the connection open says no more."""

_SHARE_COUNTS_FROM: Final = 100
_DONE: Final = "[DONE]"
_USER_STOPPED: Final = ("user", "cancel", "client")


async def ui_events(data: AsyncIterator[str]) -> AsyncGenerator[Event, None]:
    """The events of one stream, given the data of its server-sent events.

    `Finish` comes exactly once and last. A `finish` chunk is held back until the body ends, because
    what follows it still counts. A BackendError before the first event is raised; after it, it
    becomes `Finish("lost")`. Closing this iterator closes `data`.
    """
    async with aclosing(ui_events_of(_singly(data))) as events:
        async for event in events:
            yield event


async def _singly(data: AsyncIterator[str]) -> AsyncGenerator[Sequence[str], None]:
    try:
        async for text in data:
            yield (text,)
    finally:
        if isinstance(data, AsyncGenerator):
            await cast("AsyncGenerator[str, None]", data).aclose()


async def ui_events_of(data: AsyncGenerator[Sequence[str], None]) -> AsyncGenerator[Event, None]:
    """As `ui_events`, given batches of what came together: deltas of a block that follow each other in
    one become one event."""
    ending = Ending()
    begun = done = False
    try:
        while (batch := await (_next_soon(data) if done else anext(data, None))) is not None:
            done = done or _DONE in batch
            for event in joined_deltas(_readable(batch, ending)):
                passed_on = ending.note(event)
                if passed_on is not None:
                    begun = True
                    yield passed_on
            if ending.unreadable:
                break
    except BackendError as error:
        if not begun and ending.finish is None:
            raise
        ending.broken_by = error
    finally:
        await data.aclose()
    yield ending.conclusion()


def _readable(batch: Sequence[str], ending: Ending) -> Iterator[Event]:
    """The events of a batch, up to where it is this reply no more."""
    for text in batch:
        yield from _decoded(text, ending)
        if ending.unreadable:
            return


async def _next_soon(data: AsyncIterator[Sequence[str]]) -> Sequence[str] | None:
    """What still follows `[DONE]`; None when nothing does, also while the server keeps the line open."""
    try:
        async with asyncio.timeout(SECONDS_AFTER_DONE):
            return await anext(data, None)
    except TimeoutError:
        return None


def _decoded(text: str, ending: Ending) -> list[Event]:
    """The events in one event's data."""
    if text == _DONE:
        return []
    try:
        chunk = decode_json(text)
    except BadJson:
        return _decoded_by_line(text, ending)
    ending.count_readable()
    return events_from_chunk(chunk)


def _decoded_by_line(text: str, ending: Ending) -> list[Event]:
    """Servers that leave out the empty lines: each line is an event of its own (kai.md §5)."""
    events: list[Event] = []
    readable = broken = 0
    for line in text.split("\n"):
        if not line.strip() or line.strip() == _DONE:
            continue
        try:
            events += events_from_chunk(decode_json(line))
            readable += 1
        except BadJson as error:
            events.append(Skipped(str(error), line))
            broken += 1
    if broken and not readable:
        ending.count_broken(1)
        return [Skipped("an event that is no JSON", text)]
    if readable:
        ending.count_readable(readable)
    ending.count_broken(broken)
    return events


class Ending:
    """What was seen of a stream's end, and what `Finish` it makes."""

    __slots__ = (
        "_aborted",
        "_broken",
        "_broken_in_a_row",
        "_error",
        "_in_word",
        "_total",
        "_words",
        "broken_by",
        "finish",
    )

    def __init__(self) -> None:
        self.finish: Finish | None = None
        self.broken_by: BackendError | None = None
        self._aborted: Abort | None = None
        self._error: str | None = None
        self._words = 0
        self._in_word = False
        self._total = 0
        self._broken = 0
        self._broken_in_a_row = 0

    def note(self, event: Event) -> Event | None:
        """Take notice; what is to be handed on, if anything."""
        if type(event) is TextDelta:
            self._count_words(event.delta)
        elif isinstance(event, Finish):
            if self.finish is None:
                self.finish = replace(event, metadata=None)
            return MessageMetadata(event.metadata) if event.metadata is not None else None
        elif isinstance(event, Abort):
            self._aborted = self._aborted or event
        elif isinstance(event, Error) and self._error is None:
            self._error = event.text
        return event

    def count_readable(self, number: int = 1) -> None:
        """Events that were JSON came."""
        self._total += number
        self._broken_in_a_row = 0

    def count_broken(self, number: int) -> None:
        """Events that were no JSON came."""
        self._total += number
        self._broken += number
        self._broken_in_a_row += number

    @property
    def unreadable(self) -> bool:
        """Too much was broken: this is not the reply any more."""
        return self._broken_in_a_row > MAX_BROKEN_IN_A_ROW or (
            self._total >= _SHARE_COUNTS_FROM and self._broken > MAX_BROKEN_SHARE * self._total
        )

    def conclusion(self) -> Finish:
        """The turn's end."""
        if self.unreadable:
            return Finish("lost", detail=f"Too much of the reply was unreadable{self._after_words()}.")
        if self.finish is not None:
            return self._finished(self.finish)
        if self._aborted is not None:
            return self._given_up(self._aborted)
        if self._error is not None:
            return Finish("error", detail=self._error)
        if isinstance(self.broken_by, AnswerTooLarge):
            return Finish("lost", detail=self.broken_by.sentence)
        return Finish("lost", detail=f"Connection lost{self._after_words()}.")

    def _finished(self, finish: Finish) -> Finish:
        """Servers that name no reason, or only "error", said the reason before."""
        if self._error is not None and finish.reason in ("unknown", "error"):
            return replace(finish, reason="error", detail=self._error)
        return finish

    def _given_up(self, abort: Abort) -> Finish:
        """Without a finish chunk: the server stopped, for the user or for reasons of its own."""
        said = abort.reason or ""
        reason: FinishReason = "other"
        if any(word in said.lower() for word in _USER_STOPPED):
            reason = "cancelled"
        detail = f"The server stopped the answer: {said}" if said else "The server stopped the answer."
        return Finish(reason, raw_reason=abort.reason, detail=detail)

    def _count_words(self, delta: str) -> None:
        """Words of the reply; one cut over two deltas counts once."""
        words = len(delta.split())
        if words and self._in_word and not delta[0].isspace():
            words -= 1
        self._words += words
        if delta:
            self._in_word = not delta[-1].isspace()

    def _after_words(self) -> str:
        return f" after {self._words:,} word{'' if self._words == 1 else 's'}" if self._words else ""

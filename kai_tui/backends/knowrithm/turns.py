"""One question and its answer, by whichever of the three carriers brings it first (knowrithm.md §5).

The event stream is opened before the message is posted, for an answer that comes fast would be lost; the
task and the message list are asked beside it, and in its place where it is switched off. Nothing of an
answer streams: it comes whole.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, Final, TypeAlias, cast

from kai_tui.backends.base import BackendError, NotFound, TokenRefused
from kai_tui.backends.failures import TRANSPORT_ERRORS
from kai_tui.backends.knowrithm.access import KnowrithmAccess
from kai_tui.backends.knowrithm.address import own_path
from kai_tui.backends.knowrithm.messages import answer_events
from kai_tui.backends.knowrithm.signals import (
    NO_REASON,
    Answered,
    Failed,
    GaveUp,
    Progress,
    Signal,
    StreamOver,
    progress_of,
    signal_of,
)
from kai_tui.backends.knowrithm.tasks import Ack, failure_of, hint_of, news_of, state_of
from kai_tui.backends.knowrithm.wire import MessageRow, chronological
from kai_tui.backends.sse import sse_events
from kai_tui.conversation.events import Error, Event, Finish, JsonObject, Start, Status
from kai_tui.conversation.json_text import BadJson, decode_json

_MAX_FAILURES: Final = 3
_EVERY: Final = 3
"""Looks at the task per look at the messages: its states are not specified, the answer is."""

Look: TypeAlias = Callable[[str], Awaitable[Sequence[MessageRow]]]
"""Reads the messages among which the answer to the message with this id has to be, if it is there."""


class Turn:
    """Listens and looks for one answer. Use `open` before the message is posted, `wait` after it, `close` always."""

    def __init__(self, access: KnowrithmAccess, conversation_id: str, seen: set[str], look: Look) -> None:
        """`seen`: ids of messages that were there before, which are no answer. `look` reads the messages."""
        self._access = access
        self._conversation_id = conversation_id
        self._seen = seen
        self._read = look
        self._signals: asyncio.Queue[Signal] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._hurry = asyncio.Event()
        self._listening = 0
        self.no_stream: int | None = None
        """The status with which the server refused its event stream."""

    async def open(self, path: str) -> None:
        """Begin to listen. Returns when the stream is open, failed, or has been waited for long enough."""
        opened = asyncio.Event()
        self._listening += 1
        self._tasks.append(asyncio.create_task(self._listen(path, opened)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._access.pace.opening):
                await opened.wait()

    def posting(self) -> None:
        """The message goes out now: what was said until here answers something else (a stream may replay)."""
        while not self._signals.empty():
            signal = self._signals.get_nowait()
            if isinstance(signal, Answered) and signal.row is not None and signal.row.id:
                self._seen.add(signal.row.id)

    async def close(self) -> None:
        """Stop listening and looking. The server goes on by itself (§11)."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait(self, ack: Ack | None, text: str, pause: float | None) -> AsyncGenerator[Event, None]:
        """The events from the acknowledgement on, `Finish` last. `pause`: what the server asks to wait first."""
        yield Start()
        question = ack.message_id if ack is not None else ""
        if ack is not None and ack.stream_path and not self._listening and self.no_stream == 404:
            await self.open(ack.stream_path)
        self._tasks.append(asyncio.create_task(self._look(ack, text, pause)))
        patience = self._access.pace.give_up
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        status = ""
        while True:
            try:
                async with asyncio.timeout_at(until):
                    signal = await self._signals.get()
            except TimeoutError:
                signal = None
            match signal:
                case Progress(said):
                    until = loop.time() + patience
                    if said != status:
                        status = said
                        yield Status(said)
                case Answered(row, to) if _fits(to, question):
                    if row is None:
                        self._hurry.set()
                        continue
                    if row.id and row.id in self._seen:
                        continue
                    if row.id:
                        self._seen.add(row.id)
                    for event in answer_events(row):
                        yield event
                    return
                case Failed(why, to) if _fits(to, question):
                    yield Error(why)
                    yield Finish("error", detail=why)
                    return
                case StreamOver():
                    self._hurry.set()
                case GaveUp(error):
                    yield Finish("lost", detail=error.sentence)
                    return
                case None:
                    yield Finish("lost", detail=_too_long(self._access.host, patience))
                    return
                case _:
                    continue

    # The event stream

    async def _listen(self, path: str, opened: asyncio.Event) -> None:
        try:
            async with self._access.stream(path) as response:
                opened.set()
                if response.status_code == 204:
                    return
                async with aclosing(sse_events(response)) as events:
                    async for event in events:
                        signal = signal_of(event.event, event.data, self._conversation_id)
                        if signal is not None:
                            self._signals.put_nowait(signal)
        except BackendError as error:
            self.no_stream = error.status
        except TRANSPORT_ERRORS:
            pass
        finally:
            self._listening -= 1
            opened.set()
            self._signals.put_nowait(StreamOver())

    # The task and the messages

    async def _look(self, ack: Ack | None, text: str, pause: float | None) -> None:
        pace = self._access.pace
        task = ack.task_path if ack is not None else None
        step = pace.first if task else pace.messages
        delay = pause if pause is not None else pace.beside_stream if self._listening else step
        question = ack.message_id if ack is not None else ""
        news: tuple[str, str] | None = None
        failures = looks = 0
        while True:
            await self._pause(delay)
            looks += 1
            hint: float | None = None
            hurried = self._hurry.is_set()
            self._hurry.clear()
            try:
                if task is not None:
                    task, news, hint = await self._ask_task(task, news)
                if task is None or hurried or looks % _EVERY == 0:
                    row = answer_to(await self._read(question), question, text, self._seen)
                    if row is not None:
                        self._signals.put_nowait(Answered(row))
                        return
                failures = 0
            except _TaskFailed as error:
                self._signals.put_nowait(Failed(error.why))
                return
            except TokenRefused as error:
                self._signals.put_nowait(GaveUp(error))
                return
            except BackendError as error:
                failures += 1
                hint = error.retry_after
                if failures >= _MAX_FAILURES or isinstance(error, NotFound):
                    self._signals.put_nowait(GaveUp(error))
                    return
            if hint is not None:
                delay = hint
            else:
                delay = pace.beside_stream if self._listening else step
                step = pace.after(step) if task is not None else min(step * 1.2, 5 * pace.messages)

    async def _ask_task(
        self, path: str, news: tuple[str, str] | None
    ) -> tuple[str | None, tuple[str, str] | None, float | None]:
        """The task to ask further, None when the messages tell from now on; its news; the server's hint."""
        try:
            answer = await self._access.request("GET", path)
        except NotFound:
            return None, news, None  # a route this server does not have
        try:
            said: Any = decode_json(answer.content)
        except BadJson:
            return None, news, None
        if not isinstance(said, dict):
            return None, news, None
        body = cast("JsonObject", said)
        state = state_of(body)
        if state == "failed":
            raise _TaskFailed(failure_of(body, NO_REASON))
        if state == "done":
            return None, news, None
        now = news_of(body)
        if now != news:
            self._signals.put_nowait(progress_of(now[0]))
        named = own_path(body.get("status_url") or body.get("poll_url"), self._access.door.base_url)
        if named is not None and not named.partition("?")[0].endswith("/messages"):
            path = named
        return path, now, hint_of(body, answer)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()


class _TaskFailed(Exception):
    """The task came to a bad end."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def answer_to(rows: Sequence[MessageRow], message_id: str, text: str, seen: set[str]) -> MessageRow | None:
    """The first answer behind the user's message; None while there is none, or the message is not listed yet.

    A message without a known id is found by its text, the last such one that is new.
    """
    ordered = chronological(rows)
    at = None
    for index, row in enumerate(ordered):
        if message_id:
            if row.id == message_id:
                at = index
        elif row.role == "user" and row.text == text and row.id not in seen:
            at = index
    if at is None:
        return None
    return next((row for row in ordered[at + 1 :] if row.answers and row.id not in seen), None)


def _fits(to: str, question: str) -> bool:
    return not to or not question or to == question


def _too_long(host: str, seconds: float) -> str:
    return f"{host} said nothing for {seconds:g} s. The answer may still come: read the chat again later."

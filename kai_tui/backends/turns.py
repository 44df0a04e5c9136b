"""One answer as events: opens the stream, watches the clock, ends with exactly one Finish.

Shared by all backends that answer over one HTTP response.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from kai_tui.backends.base import BackendError, ConnectionLost, OnWait
from kai_tui.backends.failures import TRANSPORT_ERRORS
from kai_tui.backends.http import EVENT_STREAM, HttpDoor, noted
from kai_tui.backends.silence import SilenceClock
from kai_tui.backends.sse import sse_data_batches
from kai_tui.backends.tries import Rule
from kai_tui.backends.ui_message_stream import ui_events_of
from kai_tui.conversation.events import (
    Event,
    Finish,
    ToolInputAvailable,
    ToolInputError,
    ToolOutputAvailable,
    ToolOutputDenied,
    ToolOutputError,
)

if TYPE_CHECKING:
    import httpx

SILENCE = 600.0
"""Seconds without an event after which a stream is given up; keep-alive comments do not count (N1)."""
Reader: TypeAlias = "Callable[[httpx.Response], AsyncGenerator[Event, None]]"
"""Makes events of an opened answer: `Finish` once and last, or a BackendError for a break."""


async def ui_message_events(response: httpx.Response) -> AsyncGenerator[Event, None]:
    """The reader of a UI message stream."""
    async with aclosing(sse_data_batches(response)) as data, aclosing(ui_events_of(data)) as events:
        async for event in events:
            yield event


async def stream_turn(
    door: HttpDoor,
    method: Literal["GET", "POST"],
    path: str,
    *,
    body: Mapping[str, Any] | None = None,
    unsure_note: str = "",
    waits_for_user: bool = False,
    silence: float = SILENCE,
    rule: Rule = "once",
    on_wait: OnWait | None = None,
    accepts: Sequence[str] = EVENT_STREAM,
    reader: Reader = ui_message_events,
) -> AsyncGenerator[Event, None]:
    """The events of one stream, Finish last. Close the generator to hang up.

    Raises BackendError for what goes wrong before the first event; later losses become
    `Finish("lost")`. A GET answered with 204 yields nothing. With `waits_for_user` the clock stands
    still while a tool call is open: the server may be waiting for a decision (kai.md §9.2, §13).
    `rule` says when opening it is tried again; `on_wait` is told. `reader` gets what was answered with
    one of the media types in `accepts`.
    """
    async with door.stream(
        method,
        path,
        body=body,
        silence=None,
        unsure_note=unsure_note,
        rule=rule,
        on_wait=on_wait,
        accepts=accepts,
    ) as response:
        if response.status_code == 204:
            return
        begun = False
        open_calls: set[str] = set()
        clock = SilenceClock(silence)
        async with aclosing(reader(response)) as events, _stopping(clock):
            while True:
                clock.paused = waits_for_user and bool(open_calls)
                try:
                    event = await clock.next(events)
                except TimeoutError:
                    error = ConnectionLost(f"{door.host} sent nothing for {silence:g} s.", code="timeout")
                    event = _lost(error, begun, unsure_note)
                except BackendError as error:
                    event = _lost(error, begun, unsure_note)
                except TRANSPORT_ERRORS as error:
                    event = _lost(door.failure(error, silence), begun, unsure_note)
                if event is None:
                    event = Finish("lost")
                if not begun and isinstance(event, Finish) and event.reason == "lost":
                    # Not even a beginning: whether anything arrived has to be read back.
                    sentence = event.detail or f"{door.host} ended its answer before it began."
                    raise noted(ConnectionLost(sentence, code="lost"), unsure_note)
                _follow(event, open_calls)
                begun = True
                yield event
                if isinstance(event, Finish):
                    return


@asynccontextmanager
async def _stopping(clock: SilenceClock) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        clock.stop()


def _lost(error: BackendError, begun: bool, unsure_note: str) -> Finish:
    if not begun:
        raise noted(error, unsure_note)
    return Finish("lost", detail=error.sentence)


def _follow(event: Event, open_calls: set[str]) -> None:
    """Keep track of the calls that have their input and no outcome."""
    if isinstance(event, ToolInputAvailable):
        open_calls.add(event.tool_call_id)
    elif isinstance(event, ToolOutputAvailable | ToolOutputError | ToolOutputDenied | ToolInputError):
        open_calls.discard(event.tool_call_id)

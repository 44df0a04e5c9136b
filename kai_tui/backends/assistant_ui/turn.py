"""One request and the events that answer it, with what has to be kept of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from kai_tui.backends.assistant_ui.body import Again, Body
from kai_tui.backends.assistant_ui.config import AssistantUiConfig
from kai_tui.backends.assistant_ui.encodings import ANSWERS, ANY_ANSWER
from kai_tui.backends.assistant_ui.parts import PartWriter, Waits
from kai_tui.backends.assistant_ui.records import Records
from kai_tui.backends.assistant_ui.reply import Reading, reply_events
from kai_tui.backends.assistant_ui.state import StateTree
from kai_tui.backends.assistant_ui.state_view import StateView
from kai_tui.backends.assistant_ui.threads import Thread, ThreadStore
from kai_tui.backends.base import ConnectionLost, OnWait, Waiting
from kai_tui.backends.http import HttpDoor, segment
from kai_tui.backends.tries import Rule
from kai_tui.backends.turns import stream_turn
from kai_tui.conversation.events import Event, Finish, JsonObject, Start

if TYPE_CHECKING:
    import httpx

STREAM_ID: Final = "x-resumable-stream-id"
"""Names a reply that the server keeps (§15)."""
_LONGEST_STREAM_ID: Final = 512


class Connection:
    """What the turns of one client share."""

    def __init__(
        self, door: HttpDoor, config: AssistantUiConfig, threads: ThreadStore, waits: Waits, silence: float
    ) -> None:
        self.door = door
        self.config = config
        self.threads = threads
        self.waits = waits
        self.silence = silence
        self._calls = 0

    def hung_up(self) -> None:
        """All connections were dropped on purpose: replies that run now are not taken up again."""
        self._calls += 1

    def again(self, stream_id: str) -> Again | None:
        """How to ask for a reply once more while this connection lasts; None when that is not set up."""
        path = self.config.resume_path
        if path is None:
            return None
        now = self._calls

        def ask() -> AbstractAsyncContextManager[httpx.Response]:
            if self._calls != now:
                raise ConnectionLost(f"The connection to {self.door.host} was closed here.", code="closed")
            return self.door.stream(
                "GET",
                f"{path}/{segment(stream_id)}",
                silence=None,
                rule="until-answered",
                accepts=self.accepts,
            )

        return ask

    @property
    def accepts(self) -> tuple[str, ...]:
        """The media types of an answer."""
        return ANSWERS if self.config.encoding is None else ANY_ANSWER


@dataclass(slots=True)
class Progress:
    """How far a request is, for whoever gives it up."""

    pausing: bool = False
    """Between two tries to connect: nothing was sent."""
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request: a POST with a body, or a GET that takes a reply up."""

    chat_id: str
    path: str
    thread: Thread
    """As it was kept."""
    state: Any
    """The state that the reply begins from."""
    body: JsonObject | None = field(default=None, repr=False)
    """With the secret fields of the account in it."""
    continues: str | None = None
    """Id of the message that the reply goes on with."""
    answered: frozenset[str] = frozenset()
    outcomes: tuple[Event, ...] = ()
    """What is true as soon as the server answers."""
    taken_ids: frozenset[str] = frozenset()
    """Ids of other messages of the thread."""
    unsure_note: str = ""
    rule: Rule = "once"
    on_wait: OnWait | None = None
    progress: Progress = field(default_factory=Progress)


async def turn_events(
    connection: Connection, request: Request, used_ids: set[str]
) -> AsyncGenerator[Event, None]:
    """The events of the reply, `Finish` last; afterwards the thread is kept. Adds to `used_ids`."""
    tree = StateTree(request.state)
    writer = PartWriter(connection.waits, request.answered)
    records = Records(writer, StateView(tree, writer))
    reading = Reading(connection.door.host, records, connection.config.encoding, connection.waits)
    stream_id: str | None = None
    lost = False

    async def reader(response: httpx.Response) -> AsyncGenerator[Event, None]:
        nonlocal stream_id
        named = response.headers.get(STREAM_ID, "")
        again: Again | None = None
        if 0 < len(named) <= _LONGEST_STREAM_ID:
            again = connection.again(named)
        if again is not None:
            stream_id = named
            # Before anything else: a reply can be taken up after a crash, too.
            kept = replace(request.thread, stream_id=named, sent_state=request.state)
            await connection.threads.keep(request.chat_id, kept)
        async with aclosing(reply_events(Body(response, connection.door.host, again), reading)) as events:
            async for event in events:
                yield event

    def on_wait(waiting: Waiting | None) -> None:
        request.progress.pausing = waiting is not None
        if request.on_wait is not None:
            request.on_wait(waiting)

    turn = stream_turn(
        connection.door,
        "GET" if request.body is None else "POST",
        request.path,
        body=request.body,
        unsure_note=request.unsure_note,
        silence=connection.silence,
        rule=request.rule,
        on_wait=on_wait,
        accepts=connection.accepts,
        reader=reader,
    )
    begun = False
    try:
        async with aclosing(turn) as events:
            async for event in events:
                if not begun:
                    begun = True
                    for outcome in request.outcomes:
                        yield outcome
                if isinstance(event, Start):
                    event = _with_own_id(event, request, used_ids)
                elif isinstance(event, Finish):
                    request.progress.ended = True
                    lost = event.reason == "lost"
                yield event
    finally:
        if begun or stream_id is not None:
            await connection.threads.keep(
                request.chat_id,
                Thread(
                    state=tree.plain() if tree.changed else request.thread.state,
                    stream_id=stream_id if lost else None,
                    sent_state=request.state if lost and stream_id is not None else None,
                ),
            )


def _with_own_id(event: Start, request: Request, used_ids: set[str]) -> Start:
    """The event with the server's id only where that is the message's own: some servers give all the same (§16)."""
    message_id = event.message_id
    if message_id is None or message_id == request.continues:
        return event
    if request.continues is not None or message_id in request.taken_ids or message_id in used_ids:
        return replace(event, message_id=None)
    used_ids.add(message_id)
    return event

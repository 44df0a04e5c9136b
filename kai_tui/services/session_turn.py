"""The running turn of a chat: sends one message, folds the stream that answers it (design.md §3, §4)."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, cast

from kai_tui.backends.base import (
    Backend,
    ConnectionLost,
    Outgoing,
)
from kai_tui.conversation.approvals import pending
from kai_tui.conversation.events import Event, Finish, FinishReason, Status, Title, Usage
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.services.changes import (
    MessageAdded,
    MessageChanged,
    Notice,
    PartChanged,
    TurnChanged,
    TurnEnded,
)
from kai_tui.services.keeper import REPLY_STATES
from kai_tui.services.part_clock import PartClock
from kai_tui.services.session_sending import SessionSending
from kai_tui.services.session_state import SessionTools

_LOG = logging.getLogger(__name__)

SLICE_SECONDS = 0.003
"""How long a fast stream is read before everybody else has a turn."""
TURNS = 6
"""Turns of the event loop between two slices: a key passes through as many hands until it is drawn, and with one
turn a slice it would wait for that many slices."""
BREATH_SECONDS = 0.002
"""Sleep between two slices: the threads that read keys and write to the terminal get the interpreter at once."""
WAITED_SECONDS = 0.02
"""When a slice ended so long ago, nothing came meanwhile: everybody else had their turn."""

_OUR_FAULT = "kai-tui made a mistake while reading this reply. What came is kept."


class SessionTurn(SessionSending):
    """Runs turns. What calls wait for is the business of `SessionDecisions`."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self._task: asyncio.Task[None] | None = None

    # What decisions do to a turn

    @abstractmethod
    def _watch(self, event: Event, part: ToolPart, message: Message, backend: Backend) -> None:
        """A tool call of the stream changed."""

    @abstractmethod
    async def _asks(self, run: object, backend: Backend, message: Message, reason: FinishReason) -> bool:
        """The stream ended: whether the turn goes on with a question to the user."""

    @abstractmethod
    def _forget_questions(self) -> None:
        """The turn is over."""

    @abstractmethod
    def _turn_over(self, reason: FinishReason) -> None:
        """The turn is over and everybody was told: the next message may go."""

    # One turn

    def _begin(self, outgoing: Outgoing, message: Message | None = None) -> None:
        self._decide_terms()
        self.messages.append(message or self._new_message(outgoing))
        self._deliveries[outgoing.message_id] = "sending"
        self._why.pop(outgoing.message_id, None)
        self._checks.pop(outgoing.message_id, None)
        self._posted = None
        self._reply = None
        self._tell(MessageAdded(outgoing.message_id))
        self._started = self._last_event = self._tools.clock()
        # A task of its own: a stop in the same moment must not keep the text from the outbox (P6).
        kept = self._in_background(
            self._tools.keeper.keep_outgoing(self.chat_id, outgoing.message_id, outgoing.text)
        )
        self._start(lambda run: self._turn(run, outgoing, kept))

    def _start(self, work: Callable[[object], Coroutine[Any, Any, None]]) -> None:
        run = self._run = object()
        self._stop_looking()
        self._reason = None
        self._status = None
        self._set_phase("sending")
        self._task = asyncio.create_task(self._guarded(run, work), name=f"turn of {self.chat_id}")

    async def _guarded(self, run: object, work: Callable[[object], Coroutine[Any, Any, None]]) -> None:
        try:
            await work(run)
        except Exception:  # noqa: BLE001 - a fault of ours in one turn must not take the chat down
            _LOG.exception("a turn failed")
            if self._run is run:
                self._tell(Notice(_OUR_FAULT, "error"))
                self._check_what_is_sending(_OUR_FAULT)
                if self._reply is not None:
                    fold(self._reply, Finish("error", detail=_OUR_FAULT), FoldState())
                self._finish("error")

    def _check_what_is_sending(self, why: str, ended: Finish | None = None) -> None:
        """The turn ended before the server confirmed a message: find out what became of it."""
        for message_id, state in list(self._deliveries.items()):
            if state != "sending":
                continue
            between = self._countdown is not None and self._countdown.what == "connect-again"
            if between or self._posted != message_id:
                # Before anything was posted, or between two tries to connect: nothing can have arrived.
                self._set_delivery(message_id, "not-sent", why)
                self._in_background(self._settle(message_id))
            elif self.kept_here:
                self._set_delivery(message_id, "unsure", self.why_unsure)
                self._in_background(self._settle(message_id))
            else:
                self._set_delivery(message_id, "unsure", why)
                if self._closing:
                    self._in_background(self._settle(message_id))
                elif ended is None:
                    self._look_up(self._check_again(message_id))
                else:
                    self._look_up(self._check_again(message_id, ended))

    async def _read(
        self,
        run: object,
        backend: Backend,
        events: AsyncIterator[Event],
        message: Message,
        on_first: Callable[[], None],
    ) -> None:
        """Fold a stream into `message` until its Finish; `on_first` is called before its first event."""
        state = FoldState()
        self._begin_counting()
        self._reply = message
        clock = self._clocks.setdefault(message.id, PartClock(self._tools.clock))
        clock.go_on(message)
        loop = asyncio.get_running_loop()
        slice_ends = loop.time() + SLICE_SECONDS
        begun = False
        async with aclosing(cast("AsyncGenerator[Event, None]", events)) as stream:
            async for event in stream:
                if self._run is not run:
                    return
                if not begun and isinstance(event, Status):
                    self._say_while_sending(event)
                    continue
                if not begun:
                    begun = True
                    on_first()
                self._take(event, message, state, clock, backend)
                late = loop.time() - slice_ends
                if late > 0:
                    if late < WAITED_SECONDS:
                        await asyncio.sleep(BREATH_SECONDS)
                        for _ in range(TURNS):
                            await asyncio.sleep(0)
                    slice_ends = loop.time() + SLICE_SECONDS
        if self._run is not run:
            return
        if not begun:
            raise ConnectionLost(f"{backend.host} ended its answer before it began.", code="lost")
        clock.stop()
        await self._stream_ended(run, backend, message)

    def _say_while_sending(self, status: Status) -> None:
        """What the backend does before the message is on its way: no sign that anything arrived."""
        self._last_event = self._tools.clock()
        self._status = status.text
        self._tell(TurnChanged())

    def _arrived(self, message_id: str) -> None:
        self.stored = True
        self._status = None
        self._set_delivery(message_id, "sent")
        self._in_background(self._settle(message_id))
        self._set_phase("streaming")

    def _take(
        self, event: Event, message: Message, state: FoldState, clock: PartClock, backend: Backend
    ) -> None:
        self._last_event = self._tools.clock()
        if self.patience.level:
            self.patience.look()
        if self._phase == "sending":
            self._set_phase("streaming")
        match event:
            case Title(title):
                self.set_title(title)
                return
            case Usage():
                self._count_tokens(event)
                return
            case Status(text):
                self._status = text
                self._tell(TurnChanged())
                return
            case _:
                pass
        old_id = message.id
        index = fold(message, event, state)
        if message.id != old_id:
            if self.kept_here and any(each.id == message.id for each in self.messages if each is not message):
                # Some servers give all their answers one id; where no server keeps them, ours tells them apart.
                message.id = old_id
            else:
                self._renamed(message, old_id, clock)
        if index is None:
            return
        self._show(message)
        if index < len(message.parts):
            clock.touch(message, index)
            part = message.parts[index]
            if isinstance(part, ToolPart):
                self._watch(event, part, message, backend)
        self._checkpoints.mark()
        self._observers.tell(PartChanged(message.id, index))

    def _show(self, message: Message) -> None:
        """Put a reply under its question, once."""
        if (not self.messages or self.messages[-1] is not message) and message not in self.messages:
            self.messages.append(message)
            self._tell(MessageAdded(message.id))

    def _renamed(self, message: Message, old_id: str, clock: PartClock) -> None:
        self._clocks[message.id] = clock
        if message in self.messages:
            self._in_background(self._tools.keeper.rename_message(self.chat_id, old_id, message.id))
            self._tell(MessageChanged(message.id, old_id))

    async def _stream_ended(self, run: object, backend: Backend, message: Message) -> None:
        if message.errors or message.finish is not None:
            self._show(message)
        if message.finish is None:
            message.finish = Finish("lost")
        reason = message.finish.reason
        if await self._asks(run, backend, message, reason):
            return
        if reason == "lost" or pending(message):
            self._look_up(self._read_rest(message))
        self._finish(reason)

    def _finish(self, reason: FinishReason) -> None:
        self._run = None
        self._forget_questions()
        self._checkpoints.stop()
        if self._reply is not None and self._reply in self.messages:
            clock = self._clocks.get(self._reply.id)
            if clock is not None:
                clock.stop()
            self._in_background(self._save(self._reply, REPLY_STATES.get(reason, "complete")))
            self._tell(MessageChanged(self._reply.id))
        self._keep_tokens()
        self._reason = reason
        self._status = None
        self._countdown = None
        self._set_phase("finished")
        self._tell(TurnEnded(reason))
        self._turn_over(reason)

    def _cancel_turn(self) -> None:
        self._run = None
        if self._task is not None:
            self._task.cancel()
            # Kept until it is done: an abandoned task would be collected in the middle of hanging up.
            self._background.add(self._task)
            self._task.add_done_callback(self._over)
            self._hanging_up, self._task = self._task, None

"""Sending a message and what comes of it when no answer begins: waits, unknown outcomes, refusals.

Nothing is sent twice by itself, but for one case: the server said that it took nothing and when to try
again (reliability.md §3).
"""

from __future__ import annotations

import asyncio
import uuid
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace

from kai_tui.backends.base import (
    CHAT_GONE,
    MESSAGE_UNSURE,
    Backend,
    BackendError,
    NotFound,
    Outgoing,
    RateLimited,
    TokenRefused,
    Waiting,
)
from kai_tui.conversation.events import Event, FinishReason
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import MessageChanged, Notice, TurnChanged
from kai_tui.services.session_enclosures import SessionEnclosures
from kai_tui.services.session_state import LOCAL_ID, SessionTools
from kai_tui.services.turn import OUTCOME_UNKNOWN, Countdown

LONGEST_HOLD = 60.0
"""Seconds a message waits by itself when the server asks to; longer waits need a word of the user."""


class SessionSending(SessionEnclosures):
    """Sends one message. Reading the answer is the business of `SessionTurn`."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self._run: object | None = None
        """The running turn; events of any other are ignored."""
        self._posted: str | None = None
        """The message of which a byte may have left, as far as the session knows."""

    # What turns and decisions do

    @abstractmethod
    async def _prepare(self, backend: Backend) -> None:
        """Before a message is sent."""

    @abstractmethod
    async def _held_back(self, backend: Backend, outgoing: Outgoing) -> bool:
        """Whether something has to be decided before this message may be sent; it is queued then."""

    @abstractmethod
    async def _read(
        self,
        run: object,
        backend: Backend,
        events: AsyncIterator[Event],
        message: Message,
        on_first: Callable[[], None],
    ) -> None:
        """Fold a stream into `message` until its Finish; `on_first` is called before its first event."""

    @abstractmethod
    def _arrived(self, message_id: str) -> None:
        """The server confirmed a message: its answer began."""

    @abstractmethod
    def _finish(self, reason: FinishReason) -> None:
        """The turn is over."""

    # One message

    async def _turn(self, run: object, outgoing: Outgoing, kept: asyncio.Task[None]) -> None:
        await asyncio.shield(kept)
        held = False
        while True:
            try:
                await self._send(run, outgoing)
            except BackendError as error:
                if self._run is not run:
                    return
                why = self._why_not(error)
                if not held and await self._hold(run, outgoing, error, why):
                    held = True
                    continue
                if self._run is run:
                    await self._refused(run, outgoing, error, why)
            return

    async def _send(self, run: object, outgoing: Outgoing) -> None:
        if self.gone:
            raise NotFound("This chat no longer exists on the server.", code=CHAT_GONE)
        backend = await self._tools.backend()
        self.learn(backend)
        check = outgoing.message_id in self._doubted and not self.kept_here
        if check and not await self._still_missing(run, outgoing):
            return
        if await self._held_back(backend, outgoing):
            return
        await self._prepare(backend)
        whole = await self._with_enclosures(run, backend, self._as_it_goes(backend, outgoing))
        if self._run is not run:
            return
        self._posted = outgoing.message_id
        await self._read(
            run,
            backend,
            backend.send(
                self.chat_id,
                whole,
                on_wait=lambda waiting: self._paused(run, outgoing, waiting),
            ),
            Message(id=f"{LOCAL_ID}{uuid.uuid4()}"),
            lambda: self._arrived(outgoing.message_id),
        )

    def _as_it_goes(self, backend: Backend, outgoing: Outgoing) -> Outgoing:
        """The message with what is only known when it is sent."""
        earlier: list[Message] | None = None
        if self.kept_here:
            earlier = []
            for each in self.messages:
                if each.id == outgoing.message_id:
                    break
                arrived = self._deliveries.get(each.id) not in ("not-sent", "unsure")
                if arrived and not self.is_superseded(each.id):
                    earlier.append(each)
        return replace(
            outgoing, new_chat=not self.stored, earlier=None if earlier is None else tuple(earlier)
        )

    async def _still_missing(self, run: object, outgoing: Outgoing) -> bool:
        """Read the chat before a message is sent again (N10): it may have arrived late."""
        message_id = outgoing.message_id
        self._set_delivery(message_id, "unsure", "Checking first whether it arrived after all.")
        await self._check_again(message_id)
        if self._run is not run:
            return False
        if self._deliveries.get(message_id) == "not-sent":
            self._set_delivery(message_id, "sending")
            await self._tools.keeper.keep_outgoing(self.chat_id, message_id, outgoing.text)
            return self._run is run
        if self._deliveries.get(message_id) == "sent":
            self._tell(Notice("Your message had arrived after all. It was not sent again."))
        self._finish("error")
        return False

    def _paused(self, run: object, outgoing: Outgoing, waiting: Waiting | None) -> None:
        """The server was not reached; the backend tries again after a pause. Until then nothing was sent."""
        if self._run is not run:
            return
        self._countdown = (
            Countdown(
                "connect-again",
                outgoing.message_id,
                self._tools.clock() + waiting.seconds,
                waiting.attempt,
                waiting.of,
                waiting.sentence,
            )
            if waiting is not None
            else None
        )
        self._last_event = self._tools.clock()
        self._tell(MessageChanged(outgoing.message_id))
        self._tell(TurnChanged())

    async def _hold(self, run: object, outgoing: Outgoing, error: BackendError, why: str) -> bool:
        """The server asked to wait a moment and took nothing: wait, then the message may go once more.

        False when somebody has to say so first: the wait is long, nobody looks, or the user left
        while it lasted (reliability.md §3).
        """
        wait = error.retry_after if isinstance(error, RateLimited) else None
        if wait is None or wait > LONGEST_HOLD or not self.watched:
            return False
        until = self._tools.clock() + wait
        self._set_delivery(outgoing.message_id, "not-sent", why)
        self._countdown = Countdown("send-again", outgoing.message_id, until)
        self._set_phase("holding")
        await self._settle(outgoing.message_id)
        again = await self._until(until, lambda: self.watched and self._run is run)
        self._countdown = None
        if not again:
            return False
        # On disk as one that may have arrived, before it may arrive (P6).
        await self._tools.keeper.keep_outgoing(self.chat_id, outgoing.message_id, outgoing.text)
        if self._run is not run:
            return False
        self._last_event = self._tools.clock()
        self._set_delivery(outgoing.message_id, "sending")
        self._set_phase("sending")
        return True

    async def _refused(self, run: object, outgoing: Outgoing, error: BackendError, why: str) -> None:
        """The turn failed before its first event."""
        message_id = outgoing.message_id
        if isinstance(error, NotFound) and error.code == CHAT_GONE:
            self._lost_its_chat()
        self._set_delivery(message_id, error.delivery, why)
        await self._settle(message_id)
        if error.delivery == "unsure" and self.kept_here:
            self._set_delivery(message_id, "unsure", self.why_unsure)
        elif error.delivery == "unsure":
            self._status = OUTCOME_UNKNOWN
            self._set_delivery(message_id, "unsure", OUTCOME_UNKNOWN)
            self._tell(TurnChanged())
            await self._check_again(message_id)
        if self._run is run:
            self._say_what_became_of_it(message_id, error)
            self._finish("error")
            if self._waits_for_answer(message_id):
                self._look_later(message_id)
            elif isinstance(error, RateLimited) and error.retry_after is None:
                self._look_up(self._name_the_quota(message_id, error))

    def _why_not(self, error: BackendError) -> str:
        """Why a message was not sent, for the line below it."""
        if isinstance(error, TokenRefused):
            return "The token was refused."
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return f"The server asks to wait until {self._tools.o_clock(error.retry_after)}."
        return error.sentence

    def _say_what_became_of_it(self, message_id: str, error: BackendError) -> None:
        if self.gone:
            return  # said already
        code = "sign-in" if isinstance(error, TokenRefused) else error.code
        state = self._deliveries.get(message_id)
        if error.delivery != "unsure" or state == "unsure":
            self._tell(Notice(error.sentence, "error", code))
            return
        first = error.sentence.removesuffix(MESSAGE_UNSURE).strip()
        if state == "sent":
            self._tell(Notice(f"{first} Your message did arrive.", "warning", code))
        else:
            self._tell(Notice(f"{first} Your message did not arrive.", "error", code))

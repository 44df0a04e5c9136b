"""What a session does beside its turn: reading the chat back, keeping what came on disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from kai_tui.backends.base import Backend, BackendError, Chat, NotFound, RateLimited, TokenRefused
from kai_tui.conversation.events import Finish
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import MessageChanged, MessagesReset, Notice, TurnChanged
from kai_tui.services.checkpoints import Checkpoints
from kai_tui.services.keeper import REPLY_STATES, ReplyState
from kai_tui.services.kept_words import nothing_to_look_for
from kai_tui.services.quota_words import quota_words
from kai_tui.services.read_back import adopt, answered, kept_of, mark_unseen, question_of, went_on, with_more
from kai_tui.services.session_state import SessionState, SessionTools
from kai_tui.services.turn import Countdown

_LOG = logging.getLogger(__name__)

LOOKS = (3.0, 10.0, 30.0)
"""Seconds before each look for an answer that the server may still be making (kai.md §13)."""

_OUTLINED = 50
"""Messages, the newest, of which a change is looked for in their text."""
_DID_NOT_ARRIVE = "It did not reach the server."
_GONE = "This chat no longer exists on the server. You see the copy kept here."
READ_BACK = Finish("lost", detail="The connection was lost. This is what the server had of the reply.")
"""How a reply ended whose stream was never seen."""


class SessionUpkeep(SessionState):
    """Background work of one chat. Never sends anything."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self._background: set[asyncio.Task[None]] = set()
        self._lookups: set[asyncio.Task[None]] = set()
        """Background tasks that only ask the server: given up when the session closes."""
        self._looking: asyncio.Task[None] | None = None
        """Looks for an answer again and again."""
        self._nudged = asyncio.Event()
        self._closing = False
        self._reply: Message | None = None
        """The answer that is being written, or was last."""
        self._checks: dict[str, object] = {}
        """The newest check of each message; what an older one finds does not count."""
        self._hanging_up: asyncio.Task[None] | None = None
        """A turn that was stopped and may still be on its way to the server."""
        self._checkpoints = Checkpoints(self._save_reply)

    @property
    def may_go_on(self) -> str:
        """After a stop: whether the server notices the closed connection is not known (kai.md §13)."""
        return f"{self._tools.assistant} may still be working on the server."

    # What the screen tells

    @property
    def watched(self) -> bool:
        """Whether the user has this chat on screen."""
        return self._watched

    def set_watched(self, on_screen: bool) -> None:
        """The chat came on screen or left it. A message that waits to be sent again waits for the user then."""
        self._watched = on_screen
        self._nudged.set()

    def beat(self) -> None:
        """Look at the clocks now; for tests, whose clocks stand still until they are moved."""
        self.patience.look()
        self._nudged.set()

    def look_again(self) -> None:
        """Read the chat from the server again, because the user wants to know."""
        if self.turn.busy:
            self._tell(Notice("The reply is still on its way. What comes is shown at once."))
            return
        if self.kept_here:
            self._tell(Notice(nothing_to_look_for(self._system)))
            return
        self._stop_looking()
        unsure = next((m.id for m in reversed(self.messages) if self.delivery(m.id) == "unsure"), None)
        self._look_up(self._check_again(unsure) if unsure is not None else self._look())

    def take_back(self, message_id: str) -> str:
        """Take a message that was not sent out of this chat, to send it elsewhere; its text."""
        message = self.find(message_id)
        waits = self._countdown is not None and self._countdown.message_id == message_id and self.turn.busy
        if message is None or self._deliveries.get(message_id) != "not-sent" or waits:
            return ""  # `waits`: it will be sent in a moment, by itself
        self.messages.remove(message)
        del self._deliveries[message_id]
        self._why.pop(message_id, None)
        self._in_background(self._tools.keeper.settle_outgoing(message_id, "sent"))
        self._tell(MessagesReset())
        return message.text

    # Reading the chat back

    def refresh(self, chat: Chat, *, final: bool = True) -> None:
        """Show the chat as the server has it now.

        `final`: it is so late that what the server has of a reply that broke off here is all of it.
        """
        self.stored = True
        self.gone = False
        self.set_title(chat.summary.title)
        there = {each.id for each in chat.messages}
        for message_id, state in list(self._deliveries.items()):
            if state == "unsure" and not self.kept_here:
                found = message_id in there
                self._set_delivery(
                    message_id, "sent" if found else "not-sent", None if found else _DID_NOT_ARRIVE
                )
                self._in_background(self._settle(message_id))
        self.messages = adopt(self.messages, chat.messages, final=final)
        self._tell(MessagesReset())

    def resume_questions(self, backend: Backend) -> None:
        """Ask about calls that wait in the chat as it was read. Nothing here: see `SessionDecisions`."""

    def server_still_writes(self, backend: Backend) -> bool:
        """Wait for an answer the server still writes: see `SessionRunning`."""
        return False

    async def _look(self) -> None:
        before = self._outline()
        try:
            backend = await self._tools.backend()
            theirs = await backend.chat(self.chat_id)
        except NotFound:
            if self.stored:
                self._lost_its_chat()
            else:
                self._tell(Notice("The server does not have this chat yet."))
            return
        except BackendError as error:
            code = "sign-in" if isinstance(error, TokenRefused) else None
            self._tell(Notice(f"The server could not be asked. {error.sentence}", "warning", code))
            return
        if self.turn.busy:
            return
        self.refresh(theirs, final=False)
        self._keep_replies()
        news = self._outline() != before
        if theirs.running and self.server_still_writes(backend):
            return
        self._tell(
            Notice("The server had more. It is shown now." if news else "The server has nothing new here.")
        )
        self.resume_questions(backend)

    def _outline(self) -> Sequence[object]:
        """What tells one state of the chat from another."""
        older, newest = self.messages[:-_OUTLINED], self.messages[-_OUTLINED:]
        return [each.id for each in older] + [
            (each.id, len(each.text), [(call.tool_call_id, call.state) for call in each.tool_calls()])
            for each in newest
        ]

    async def _check_again(self, message_id: str, ended: Finish = READ_BACK) -> None:
        """Find out whether a message arrived by reading the chat; never sends (design.md §4)."""
        if self.kept_here:
            self._set_delivery(message_id, "unsure", self.why_unsure)
            await self._settle(message_id)
            return
        check = self._checks[message_id] = object()
        failed: BackendError | None = None
        theirs: Chat | None = None
        if self._hanging_up is not None:
            await asyncio.wait([self._hanging_up])
        try:
            backend = await self._tools.backend()
            theirs = await backend.chat(self.chat_id)
        except BackendError as error:
            failed = error
        if self._checks.get(message_id) is not check or self._deliveries.get(message_id) != "unsure":
            return  # it was sent again, or checked again, meanwhile
        if theirs is not None and any(each.id == message_id for each in theirs.messages):
            self._set_delivery(message_id, "sent")
            self.stored = True
            if self._may_be_read_anew():
                known = {each.id for each in self.messages}
                self.messages = adopt(self.messages, theirs.messages)
                mark_unseen(self.messages, message_id, known, ended)
                self._tell(MessagesReset())
                self._keep_replies()
            if ended.reason == "cancelled" and not answered(self.messages, message_id):
                self._set_delivery(message_id, "sent", f"Stopped. {self.may_go_on}")
        elif failed is None or isinstance(failed, NotFound):
            self._set_delivery(message_id, "not-sent", _DID_NOT_ARRIVE)
        else:
            self._set_delivery(message_id, "unsure", f"It is not known whether it arrived. {failed.sentence}")
        await self._settle(message_id)

    def _may_be_read_anew(self) -> bool:
        """Whether nothing that runs holds on to a message as it is now."""
        return not self.turn.busy or self._phase == "sending"

    async def _read_rest(self, message: Message) -> None:
        """After a loss or a stop: show what the server kept, still marked as cut off (P8); ask what waits."""
        try:
            backend = await self._tools.backend()
            if self.kept_here:
                self.resume_questions(backend)
                return
            theirs = await backend.chat(self.chat_id)
        except BackendError:
            return
        kept = kept_of(message, self.messages, theirs.messages)
        if kept is None or message not in self.messages:
            return
        if went_on(message, kept):
            kept.finish = with_more(message.finish) if len(kept.text) > len(message.text) else message.finish
            kept.errors, kept.faults = message.errors, message.faults
            self.messages[self.messages.index(message)] = kept
            if self._reply is message:
                self._reply = kept
            self._tell(MessagesReset())
            self._keep_replies()
        self.resume_questions(backend)

    def _lost_its_chat(self) -> None:
        """The server does not have this chat any more: what is here stays, and can be read."""
        self.gone = True
        self.stored = False
        self._tell(Notice(_GONE, "warning"))
        self._tell(TurnChanged())

    # Waiting for what may still come

    def _waits_for_answer(self, message_id: str) -> bool:
        """Whether a message arrived and nothing answers it yet."""
        waits = self._deliveries.get(message_id) == "sent" and not answered(self.messages, message_id)
        return waits and not self.kept_here

    def _look_later(self, message_id: str) -> None:
        """The server may still be making the answer to a message whose stream was lost: read again, a few times."""
        self._stop_looking()
        if not self._closing:
            self._looking = self._look_up(self._look_for_answer(message_id))

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
            self._count(None)

    async def _look_for_answer(self, message_id: str) -> None:
        for number, pause in enumerate(LOOKS, 1):
            until = self._tools.clock() + pause
            self._count(Countdown("look-again", message_id, until, number, len(LOOKS)))
            if not await self._until(until, lambda: not self.turn.busy):
                break
            try:
                backend = await self._tools.backend()
                theirs = await backend.chat(self.chat_id)
            except BackendError:
                continue
            if answered(theirs.messages, message_id):
                known = {each.id for each in self.messages}
                self.messages = adopt(self.messages, theirs.messages)
                mark_unseen(self.messages, message_id, known, READ_BACK)
                self._tell(MessagesReset())
                self._keep_replies()
                self.resume_questions(backend)
                break
            if theirs.running:
                mine, self._looking = self._looking, None
                if self.server_still_writes(backend):
                    return
                self._looking = mine
        self._looking = None
        if not self.turn.busy:
            self._count(None)

    def _count(self, countdown: Countdown | None) -> None:
        before, self._countdown = self._countdown, countdown
        for each in (before, countdown):
            if each is not None:
                self._tell(MessageChanged(each.message_id))
        self._tell(TurnChanged())

    async def _until(self, until: float, still: Callable[[], bool]) -> bool:
        """Wait until the session's clock says `until` (monotonic seconds); False when `still` or the session
        is over before."""
        while still() and not self._closing:
            left = until - self._tools.clock()
            if left <= 0:
                return True
            self._nudged.clear()
            try:
                # Not `wait_for`: before Python 3.12 it may swallow a cancellation that comes with the nudge.
                async with asyncio.timeout(min(left, 1.0)):
                    await self._nudged.wait()
            except TimeoutError:
                pass
        return False

    async def _name_the_quota(self, message_id: str, error: RateLimited) -> None:
        """No time to wait for: say how many messages the plan has, where the server tells."""
        quota = await self._tools.quota()
        if quota is not None and self._deliveries.get(message_id) == "not-sent":
            self._set_delivery(message_id, "not-sent", f"{error.sentence} {quota_words(quota)}")

    # Keeping

    async def _save_reply(self) -> None:
        if self._reply is not None:
            await self._save(self._reply, "streaming")

    async def _save(self, message: Message, state: ReplyState) -> None:
        keeper = self._tools.keeper
        await keeper.checkpoint(self.chat_id, self.title, message, state)
        if not self.kept_here and message.finish is not None and message.finish.stored is False:
            question = question_of(message, self.messages)
            if question is not None:
                await keeper.keep_reply(self.chat_id, self.title, question, message, state)

    def _keep_replies(self) -> None:
        """Keep replies that broke off here and of which the server had more."""
        for message in self.messages:
            if message.role == "assistant" and message.finish is not None:
                state = REPLY_STATES.get(message.finish.reason)
                if state is not None:
                    self._in_background(self._save(message, state))

    async def _settle(self, message_id: str) -> None:
        state = self._deliveries.get(message_id)
        if state in ("sent", "not-sent", "unsure"):
            kept = state == "sent" or (state == "unsure" and self.kept_here)
            if kept and (message := self.find(message_id)) is not None:
                # First, so that it stands before its answer in the copy.
                await self._save(message, "complete")
            await self._tools.keeper.settle_outgoing(message_id, state)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._over)
        return task

    def _look_up(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Ask the server in the background; not when the session closes: nobody would see the answer."""
        if self._closing:
            work.close()
            return None
        task = self._in_background(work)
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("work in the background failed", exc_info=error)
            self._tell(Notice("kai-tui made a mistake in this chat. Open it again to be sure.", "error"))

"""One open chat: its messages, its running turn and the turn's state machine (design.md §4)."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, cast

from kai_tui.backends.base import Backend, BackendError, NotFound, Outgoing, TokenRefused
from kai_tui.conversation.approvals import pending, respond
from kai_tui.conversation.events import (
    Event,
    Finish,
    FinishReason,
    Status,
    Title,
    ToolInputAvailable,
    Usage,
)
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.services.approval_round import ApprovalRound
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.services.call_questions import CallQuestions
from kai_tui.services.changes import (
    MessageAdded,
    MessageChanged,
    MessagesReset,
    Notice,
    PartChanged,
    QueueChanged,
    TurnChanged,
    TurnEnded,
)
from kai_tui.services.keeper import ReplyState
from kai_tui.services.part_clock import PartClock
from kai_tui.services.read_back import changed_calls
from kai_tui.services.session_state import NEW_CHAT_TITLE, SessionTools
from kai_tui.services.session_upkeep import SessionUpkeep
from kai_tui.services.turn import ENDED_WELL, Queued

_LOG = logging.getLogger(__name__)

SLICE_SECONDS = 0.004
"""How long events are folded in one go before keys get their turn."""

_REPLY_STATES: dict[FinishReason, ReplyState] = {
    "cancelled": "stopped",
    "lost": "cut-off",
    "error": "failed",
}


class ChatSession(SessionUpkeep):
    """State and effects of one chat. Public attributes are read by the screen, changed only here."""

    def __init__(
        self,
        chat_id: str,
        tools: SessionTools,
        *,
        title: str = NEW_CHAT_TITLE,
        messages: Iterable[Message] = (),
        stored: bool = False,
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self._run: object | None = None
        """The running turn; events of any other are ignored."""
        self._task: asyncio.Task[None] | None = None
        self._round: ApprovalRound | None = None
        self._questions = CallQuestions(
            tools.approvals,
            chat_id=chat_id,
            chat_title=lambda: self.title,
            place=tools.place,
            clock=tools.clock,
            on_decided=self._decided,
        )

    # What the user does

    def send(self, text: str) -> None:
        """Send a message, or queue it while a turn runs. Returns at once. Blank text is ignored."""
        if not text.strip():
            return
        if self.turn.busy:
            self.queue.append(Queued(str(uuid.uuid4()), text))
            self._tell(QueueChanged())
            if self.turn.phase == "waiting-for-approval":
                self._tell(Notice("The assistant waits for your decision. Your message is sent after it."))
            return
        self._begin(Outgoing(str(uuid.uuid4()), text))

    def take_queue(self) -> str:
        """Take back what waits to be sent, for the composer; texts are parted by an empty line."""
        text = "\n\n".join(each.text for each in self.queue)
        if self.queue:
            self.queue.clear()
            self._tell(QueueChanged())
        return text

    def retry(self, message_id: str) -> None:
        """Send a not-sent message again, with the same message id (N10); check an unsure one first."""
        message = self.find(message_id)
        state = self._deliveries.get(message_id)
        if message is None or self.turn.busy:
            return
        if state == "unsure":
            self._in_background(self._check_again(message_id))
        elif state == "not-sent":
            self.messages.remove(message)
            self._tell(MessagesReset())
            self._begin(Outgoing(message_id, message.text), message)

    def stop(self) -> None:
        """Stop the running reply within 250 ms; what came stays (P10)."""
        if not self.turn.busy:
            return
        if self._round is not None:
            self._tell(Notice("Approve or deny the request first: it is the assistant that waits for you."))
            return
        unsent = [each for each, state in self._deliveries.items() if state == "sending"]
        self._cancel_turn()
        for message_id in unsent:
            self._set_delivery(message_id, "unsure", "Stopped before the server answered.")
            self._in_background(self._check_again(message_id))
        if self._reply is not None:
            fold(self._reply, Finish("cancelled"), FoldState())
        self._finish("cancelled")

    async def vote(self, message_id: str, up: bool) -> None:
        """Vote on an answer. Raises BackendError."""
        backend = await self._tools.backend()
        await backend.vote(self.chat_id, message_id, up)
        self._votes[message_id] = up
        self._tell(MessageChanged(message_id))

    # What the service does

    def resume_questions(self, backend: Backend) -> None:
        """Ask again about calls that waited when the chat was read (A8). Continuation style only."""
        message = self.last_assistant_message
        if backend.caps.approval != "continuation" or message is None or self.turn.busy:
            return
        if message is self.messages[-1] and (calls := pending(message)):
            self._run = object()
            self._started = self._last_event = self._tools.clock()
            self._reply = message
            self._round = self._questions.ask_all(message, calls)
            self._set_phase("waiting-for-approval")

    async def aclose(self) -> None:
        """Stop the turn, keep what came."""
        if self.turn.busy:
            self._round = None
            self.stop()
        self._questions.clear()
        tasks = [task for task in (self._task, *self._background) if task is not None]
        for task in self._background:
            if task.get_name() == "chat read back":
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # One turn

    def _begin(self, outgoing: Outgoing, message: Message | None = None) -> None:
        self.messages.append(message or Message.user(outgoing.message_id, outgoing.text))
        self._deliveries[outgoing.message_id] = "sending"
        self._why.pop(outgoing.message_id, None)
        self._reply = None
        self._tell(MessageAdded(outgoing.message_id))
        self._started = self._last_event = self._tools.clock()
        self._start(lambda run: self._turn(run, outgoing))

    def _start(self, work: Callable[[object], Coroutine[Any, Any, None]]) -> None:
        run = self._run = object()
        self._reason = None
        self._status = None
        self._set_phase("sending")
        self._task = asyncio.create_task(self._guarded(run, work(run)), name=f"turn of {self.chat_id}")

    async def _guarded(self, run: object, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001 - a fault of ours in one turn must not take the chat down
            _LOG.exception("a turn failed")
            if self._run is run:
                self._tell(
                    Notice("kai-tui made a mistake while reading this reply. What came is kept.", "error")
                )
                self._finish("error")

    async def _turn(self, run: object, outgoing: Outgoing) -> None:
        await self._tools.keeper.keep_outgoing(self.chat_id, outgoing.message_id, outgoing.text)
        try:
            backend = await self._tools.backend()
            if backend.caps.approval == "side-request":
                self._questions.tools = {tool.name: tool for tool in await backend.tools()}
            await self._read(
                run,
                backend,
                backend.send(self.chat_id, outgoing),
                Message(id=f"local-{uuid.uuid4()}"),
                outgoing,
            )
        except BackendError as error:
            if self._run is run:
                await self._refused(run, outgoing, error)

    async def _refused(self, run: object, outgoing: Outgoing, error: BackendError) -> None:
        """The turn failed before its first event."""
        self._set_delivery(outgoing.message_id, error.delivery, error.sentence)
        await self._settle(outgoing.message_id)
        if error.delivery == "unsure":
            self._status = "The outcome is unknown, checking…"
            self._tell(TurnChanged())
            await self._check_again(outgoing.message_id)
        if self._run is run:
            code = "sign-in" if isinstance(error, TokenRefused) else error.code
            self._tell(Notice(error.sentence, "error", code))
            self._finish("error")

    async def _read(
        self,
        run: object,
        backend: Backend,
        events: AsyncIterator[Event],
        message: Message,
        outgoing: Outgoing | None = None,
    ) -> None:
        """Fold a stream into `message` until its Finish."""
        state = FoldState()
        self._reply = message
        clock = self._clocks.setdefault(message.id, PartClock(self._tools.clock))
        loop = asyncio.get_running_loop()
        slice_ends = loop.time() + SLICE_SECONDS
        async with aclosing(cast("AsyncGenerator[Event, None]", events)) as stream:
            async for event in stream:
                if self._run is not run:
                    return
                if outgoing is not None:
                    self._arrived(outgoing.message_id)
                    outgoing = None
                self._take(event, message, state, clock, backend)
                if loop.time() > slice_ends:
                    await asyncio.sleep(0)
                    slice_ends = loop.time() + SLICE_SECONDS
        if self._run is run:
            clock.stop()
            await self._stream_ended(run, backend, message)

    def _arrived(self, message_id: str) -> None:
        self.stored = True
        self._set_delivery(message_id, "sent")
        self._in_background(self._settle(message_id))
        self._set_phase("streaming")

    def _take(
        self, event: Event, message: Message, state: FoldState, clock: PartClock, backend: Backend
    ) -> None:
        self._last_event = self._tools.clock()
        if self._phase == "sending":
            self._set_phase("streaming")
        match event:
            case Title(title):
                self.set_title(title)
                return
            case Usage():
                total = event.total if event.total is not None else (event.input or 0) + (event.output or 0)
                self._tokens = (self._tokens or 0) + total
                self._tell(TurnChanged())
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
            self._clocks[message.id] = clock
            if message in self.messages:
                self._in_background(self._tools.keeper.rename_message(self.chat_id, old_id, message.id))
        if index is None:
            if message.id != old_id and message in self.messages:
                self._tell(MessageChanged(message.id, old_id))
            return
        if not self.messages or self.messages[-1] is not message:
            if message not in self.messages:
                self.messages.append(message)
                self._tell(MessageAdded(message.id))
        elif message.id != old_id:
            self._tell(MessageChanged(message.id, old_id))
        if index < len(message.parts):
            clock.touch(message, index)
            part = message.parts[index]
            if isinstance(part, ToolPart):
                self._watch(event, part, message, backend)
        self._checkpoints.mark()
        self._observers.tell(PartChanged(message.id, index))

    def _watch(self, event: Event, part: ToolPart, message: Message, backend: Backend) -> None:
        """Ask about a call of an open stream, or take the question away when it is settled."""
        if part.settled:
            if part.tool_call_id in self.pending_calls():
                self._questions.settled(part)
                self._tell(TurnChanged())
            else:
                self._questions.settled(part)
        elif backend.caps.approval == "side-request" and isinstance(event, ToolInputAvailable):
            self._questions.consider(part, message)
            self._tell(TurnChanged())

    async def _stream_ended(self, run: object, backend: Backend, message: Message) -> None:
        if message not in self.messages and (message.errors or message.finish is not None):
            self.messages.append(message)
            self._tell(MessageAdded(message.id))
        calls = pending(message)
        reason: FinishReason = message.finish.reason if message.finish is not None else "lost"
        if calls and backend.caps.approval == "continuation" and reason in ENDED_WELL:
            await self._save_reply()
            if self._run is run:
                self._round = self._questions.ask_all(message, calls)
                self._set_phase("waiting-for-approval")
            return
        if reason == "lost":
            self._in_background(self._read_rest(message), "chat read back")
        self._finish(reason)

    def _finish(self, reason: FinishReason) -> None:
        self._run = None
        self._round = None
        self._questions.clear()
        self._checkpoints.stop()
        if self._reply is not None and self._reply in self.messages:
            clock = self._clocks.get(self._reply.id)
            if clock is not None:
                clock.stop()
            self._in_background(self._save_reply(_REPLY_STATES.get(reason, "complete")))
            self._tell(MessageChanged(self._reply.id))
        self._reason = reason
        self._status = None
        self._set_phase("finished")
        self._tell(TurnEnded(reason))
        if self.queue and reason in ENDED_WELL:
            following = self.queue.pop(0)
            self._tell(QueueChanged())
            self._begin(Outgoing(following.id, following.text))

    def _cancel_turn(self) -> None:
        self._run = None
        if self._task is not None:
            self._task.cancel()
            # Kept until it is done: an abandoned task would be collected in the middle of hanging up.
            self._background.add(self._task)
            self._task.add_done_callback(self._background.discard)
            self._task = None

    # Decisions

    def _decided(self, approval: Approval, decision: Decision) -> None:
        together = self._round
        if together is None:
            self._in_background(self._answer_open_stream(approval, decision))
            self._tell(TurnChanged())
        elif together.answer(approval, decision):
            self._start(lambda run: self._continue(run, together))
        else:
            self._tell(TurnChanged())

    async def _answer_open_stream(self, approval: Approval, decision: Decision) -> None:
        """kai-agent: post the decision beside the open stream (protocols/kai.md §9.2)."""
        together = ApprovalRound(approval.message_id)
        together.add(approval)
        together.answer(approval, decision)
        message = self.find(approval.message_id)
        part = (
            next((c for c in message.tool_calls() if c.tool_call_id == approval.tool_call_id), None)
            if message
            else None
        )
        if message is None or part is None:
            return
        run = self._run
        try:
            backend = await self._tools.backend()
            if not await self._tools.keeper.remember_answer(
                self.chat_id, approval.tool_call_id, approval.approval_id, decision.approved
            ):
                raise _not_noted()
            async for _ in backend.answer(self.chat_id, message, list(together.answers.values())):
                pass
        except NotFound:
            self._tell(Notice("This request was already settled elsewhere."))
        except BackendError as error:
            arrived = "did not arrive" if error.delivery == "not-sent" else "may not have arrived"
            self._tell(Notice(f"Your decision {arrived}. {error.sentence}", "error"))
            if self._run is run and run is not None and not part.settled:
                self._questions.ask(part, message, f"Your first answer {arrived}.")
        self._tell(TurnChanged())

    async def _continue(self, run: object, together: ApprovalRound) -> None:
        """kai-assistant: all answers in one POST; the stream goes on with the same message (§9.1)."""
        message = self.find(together.message_id)
        if message is None:
            self._finish("error")
            return
        self._round = None
        answers = list(together.answers.values())
        answered = respond(message, answers)
        try:
            backend = await self._tools.backend()
            if await self._changed_meanwhile(backend, message, together):
                return
            for answer in answers:
                if not await self._tools.keeper.remember_answer(
                    self.chat_id, answer.tool_call_id, answer.approval_id, answer.approved
                ):
                    raise _not_noted()
            self._replace(message, answered)
            await self._read(run, backend, backend.answer(self.chat_id, message, answers), answered)
        except BackendError as error:
            if self._run is not run:
                return
            self._tell(
                Notice(error.sentence, "error", "sign-in" if isinstance(error, TokenRefused) else None)
            )
            if error.delivery == "not-sent":
                for answer in answers:
                    await self._tools.keeper.withdraw_answer(
                        self.chat_id, answer.tool_call_id, answer.approval_id
                    )
            if answered in self.messages:
                self._replace(answered, message)
            self._reply = message
            await self._ask_what_still_waits(run, message, together)

    async def _ask_what_still_waits(self, run: object, message: Message, together: ApprovalRound) -> None:
        """The outcome of an answer is unknown: read the chat; only what still waits is asked again (A7)."""
        try:
            backend = await self._tools.backend()
            if await self._changed_meanwhile(backend, message, together):
                return
        except BackendError:
            pass  # still unreachable: the question stays, and is checked again before the next answer
        if self._run is run:
            self._ask_again(message, "Your first answer did not arrive.")

    def _ask_again(self, message: Message, note: str) -> None:
        calls = pending(message)
        if not calls:
            self._finish("unknown")
            return
        self._reply = message
        self._round = self._questions.ask_all(message, calls, note)
        self._set_phase("waiting-for-approval")

    def _replace(self, old: Message, new: Message) -> None:
        self.messages[self.messages.index(old)] = new
        self._reply = new
        self._tell(MessagesReset())

    # Reading the chat back

    async def _changed_meanwhile(self, backend: Backend, message: Message, together: ApprovalRound) -> bool:
        """Re-read before sending (A5): True when something else waits by now, and that was dealt with."""
        run = self._run
        try:
            theirs = await backend.chat(self.chat_id)
        except NotFound:
            self._tell(Notice("This chat no longer exists on the server. Nothing was sent.", "error"))
            self._finish("error")
            return True
        if self._run is not run:
            return True
        current = next((each for each in theirs.messages if each.id == message.id), None)
        if current is None or not changed_calls(current, together.digests):
            return False
        self._replace(message, current)
        if not pending(current):
            self._tell(Notice("This request is settled on the server by now; nothing more was sent."))
            self._finish("other")
            return True
        self._tell(
            Notice("The request changed on the server. Nothing was sent; please look again.", "warning")
        )
        self._ask_again(current, "This request changed since you saw it.")
        return True


def _not_noted() -> BackendError:
    sentence = "It could not be noted on disk first, so it was not sent. Please decide again."
    return BackendError(sentence, delivery="not-sent")

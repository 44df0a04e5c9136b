"""Questions that were asked before: in a run that ended, or over a connection that broke (reliability.md A7, A8).

They are read from the server again and asked anew; nothing is ever sent for them by itself. On kai-agent the
stream that waited is gone with the connection (kai.md §9.2): whether the server waits on nobody can see, only
whether its chat still shows the call as open. So it is asked, and the server's own word decides: what it does
not wait for any more it refuses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from kai_tui.backends.base import Backend, BackendError, NotFound, Outgoing
from kai_tui.conversation.approvals import pending
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.services.approval_round import digest_of
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.services.changes import Notice, TurnChanged
from kai_tui.services.decision_words import (
    ARRIVED,
    CHANGED,
    FROM_BEFORE,
    FROM_BEFORE_HERE,
    FROM_BEFORE_OPEN,
    GAVE_UP,
    NO_RESULT_YET,
    RESULT_SHOWN,
    STILL_WAITS,
)
from kai_tui.services.read_back import holder
from kai_tui.services.session_decisions import PATIENCE_SECONDS
from kai_tui.services.session_state import SessionTools
from kai_tui.services.session_waking import SessionWaking

if TYPE_CHECKING:
    from kai_tui.storage.inbox import Asked

RESULT_LOOKS = (3.0, 10.0, 30.0)
"""Seconds before each look for what came of an answer whose stream is gone."""


class SessionAskedBefore(SessionWaking):
    """Takes up what was asked before, and says what cannot be decided any more."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self._unsettled: dict[str, str] = {}
        """Calls that were asked about and of which it is not known what became: their digests."""
        self._names: dict[str, str] = {}
        """The tools of these calls, for a chat that does not have them any more. Raw."""
        self._from_before: set[str] = set()
        """Calls that an earlier run asked about."""
        self._reading_unsettled = False
        self._not_waited_for: set[str] = set()
        """Calls whose answer the server did not wait for."""

    def know_questions(self, asked: Iterable[Asked]) -> None:
        """What an earlier run asked in this chat and nobody answered; before `resume_questions`."""
        for each in asked:
            self._questions.first_asked[each.tool_call_id] = each.asked_at
            if not each.answered:
                self._unsettled[each.tool_call_id] = each.digest
                self._names[each.tool_call_id] = each.tool_name
                self._from_before.add(each.tool_call_id)

    @property
    def unsettled_questions(self) -> Mapping[str, str]:
        """Calls that were asked about, are not being asked about now, and may still wait; with their digests."""
        return self._unsettled

    def forget_question(self, call_id: str) -> None:
        """The user does not want to hear of it any more. Nothing is sent."""
        self._unsettled.pop(call_id, None)

    def read_unsettled(self, backend: Backend) -> None:
        """The server is there again: find out what became of them."""
        if self._unsettled and not self.turn.busy and not self._closing:
            self.resume_questions(backend)

    def resume_questions(self, backend: Backend) -> None:
        super().resume_questions(backend)
        if not self._unsettled or self._closing:
            return
        if self._answers_continue(backend):
            self._say_what_is_gone()
        elif not self.turn.busy:
            self._look_up(self._ask_what_was_lost(backend))

    def _begin_asking(self, message: Message, note: str | None) -> None:
        calls = pending(message)
        answered = any(self.decision(part) is not None for part in calls)
        if note is None and not answered and any(part.tool_call_id in self._from_before for part in calls):
            note = FROM_BEFORE_HERE if self.kept_here else FROM_BEFORE
        super()._begin_asking(message, note)

    def _begin(self, outgoing: Outgoing, message: Message | None = None) -> None:
        self._unsettled.clear()  # the user went on without it
        super()._begin(outgoing, message)

    # Answers that go on with the message: the chat as it was read tells all

    def _say_what_is_gone(self) -> None:
        waits = set(self.pending_calls())
        asked = [each for each in self.messages if each.calls_any(self._unsettled)]
        parts = {part.tool_call_id: part for each in asked for part in each.tool_calls()}
        for call_id in list(self._unsettled):
            if call_id in waits:
                del self._unsettled[call_id]
            elif not self.turn.busy:
                self._say_gone(call_id, parts.get(call_id))

    def give_up_questions(self) -> None:
        """The server does not have this chat any more: nothing of it can be decided."""
        for call_id in list(self._unsettled):
            self._say_gone(call_id, None)

    def _say_gone(self, call_id: str, part: ToolPart | None) -> None:
        """A question of before cannot be answered any more."""
        del self._unsettled[call_id]
        if part is not None and self.decision(part) is not None:
            return  # said by who looks after answers
        name = self._names.get(call_id) or (part.tool_name if part is not None else "a call")
        if part is not None and part.settled:
            words = f"{name} does not wait for you any more: it was settled elsewhere. Nothing was sent."
        else:
            words = (
                f"{name} can no longer be decided: the server's chat does not show it as waiting."
                " Nothing was sent. Ask again if you still want it."
            )
        self._tell_soon(Notice(words, "warning"))
        asyncio.get_running_loop().call_soon(self._tell, TurnChanged())

    # kai-agent: nothing but the chat says whether a call is open

    async def _stream_ended(self, run: object, backend: Backend, message: Message) -> None:
        if message.finish is not None and message.finish.reason == "lost":
            self._note_unsettled(backend)
        await super()._stream_ended(run, backend, message)
        if self._unsettled and not self._answers_continue(backend) and not self.turn.busy:
            self._look_up(self._ask_what_was_lost(backend))

    def _note_unsettled(self, backend: Backend) -> None:
        """Before the turn ends, which takes the questions back."""
        if self.kept_here or self._caps(backend).approval != "side-request":
            return
        for each in self._tools.approvals.pending:
            if each.chat_id == self.chat_id:
                self._unsettled[each.tool_call_id] = each.digest
                self._names[each.tool_call_id] = each.tool_name
                self._from_before.discard(each.tool_call_id)

    async def _ask_what_was_lost(self, backend: Backend) -> None:
        """Ask again about calls that the chat shows as open (A7). When it cannot be read they stay for later."""
        if self._reading_unsettled:
            return
        self._reading_unsettled = True
        try:
            theirs = await self._read_unsettled(backend)
        finally:
            self._reading_unsettled = False
        if theirs is None or self.turn.busy or self._closing:
            return
        current, ours = holder(theirs, self._unsettled), holder(self.messages, self._unsettled)
        if current is not None and ours is not None and _says_more(current, ours):
            current.finish, current.errors, current.faults = ours.finish, ours.errors, ours.faults
            self._replace(ours, current)
            ours = current
        there, here = _calls(current), _calls(ours)
        asked = set(self.pending_calls())
        for call_id, digest in list(self._unsettled.items()):
            part = here.get(call_id)
            if call_id in asked:
                del self._unsettled[call_id]
            elif (
                ours is None
                or part is None
                or not _is_open(there.get(call_id))
                or self.decision(part) is not None
            ):
                self._say_gone(call_id, there.get(call_id))
            else:
                del self._unsettled[call_id]
                note = FROM_BEFORE_OPEN if call_id in self._from_before else STILL_WAITS
                self._questions.ask(part, ours, note if digest_of(part) == digest else CHANGED)

    async def _read_unsettled(self, backend: Backend) -> Sequence[Message] | None:
        """The chat as the server has it, given a moment to store what it streamed; None when nobody knows."""
        try:
            theirs = await backend.chat(self.chat_id)
            if holder(theirs.messages, self._unsettled) is None:
                await asyncio.sleep(PATIENCE_SECONDS)
                theirs = await backend.chat(self.chat_id)
        except NotFound:
            return ()
        except BackendError:
            return None
        return theirs.messages

    async def _answer_open_stream(self, run: object | None, approval: Approval, decision: Decision) -> None:
        await super()._answer_open_stream(run, approval, decision)
        if run is None and approval.tool_call_id not in self.pending_calls():
            # No stream tells what came of it. One that is asked again was not sent.
            await self._look_for_result(approval.tool_call_id)

    def _show_what_runs(self, message: Message, part: ToolPart, decision: Decision) -> None:
        super()._show_what_runs(message, part, decision)
        if self._run is None:
            self._tell(Notice(ARRIVED))

    def _not_awaited(self, run: object | None, part: ToolPart) -> None:
        if run is not None:
            super()._not_awaited(run, part)
            return
        self._not_waited_for.add(part.tool_call_id)
        self._tell(Notice(GAVE_UP, "warning"))

    async def _look_for_result(self, call_id: str) -> None:
        before = self._outline()
        refused = call_id in self._not_waited_for
        for pause in RESULT_LOOKS[:1] if refused else RESULT_LOOKS:
            if not await self._until(self._tools.clock() + pause, lambda: not self.turn.busy):
                return
            try:
                backend = await self._tools.backend()
                theirs = await backend.chat(self.chat_id)
            except BackendError:
                continue
            if self.turn.busy or self._closing:
                return
            self.refresh(theirs, final=False)
            self._keep_replies()
            part = next((_calls(each)[call_id] for each in self.messages if each.calls_any((call_id,))), None)
            if part is None or part.settled:
                break
            self._go_on()
        if self._outline() != before:
            self._tell(Notice(RESULT_SHOWN, code="news"))
        elif not refused:
            self._tell(Notice(NO_RESULT_YET, "warning"))
        self._go_on()


def _calls(message: Message | None) -> dict[str, ToolPart]:
    return {part.tool_call_id: part for part in message.tool_calls()} if message is not None else {}


def _is_open(part: ToolPart | None) -> bool:
    return part is not None and part.state in ("input-available", "approval-requested")


def _says_more(theirs: Message, ours: Message) -> bool:
    """Whether the server shows other calls than we do, and nothing of what was seen is missing there."""
    if len(theirs.text) < len(ours.text):
        return False
    there, here = _calls(theirs), _calls(ours)
    return any(
        call_id not in here
        or (part.state, digest_of(part)) != (here[call_id].state, digest_of(here[call_id]))
        for call_id, part in there.items()
    )

"""Answers that reached a continuation server and led to nothing: it broke off before it acted (kai.md §8, §9.1).

Such a chat refuses every further message, so the calls are asked about once more before one is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from kai_tui.backends.base import Backend, BackendError, NotFound, Outgoing
from kai_tui.conversation.approvals import pending, waiting_again, without_outcome
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import Notice
from kai_tui.services.session_decisions import PATIENCE_SECONDS
from kai_tui.services.session_resuming import SessionResuming
from kai_tui.services.session_state import SessionTools

_NO_OUTCOME = (
    "You answered this before, and the server has no outcome: it broke off, or is still at work. If you approved it, "
    "it may have run: look at the project before you approve it again. Deny it to go on without it."
)


class SessionWithoutOutcome(SessionResuming):
    """Asks again about calls that were answered and never got an outcome, when they would block the chat."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self._asked_anew: set[str] = set()
        """Approval ids of such calls that are being asked about."""

    def resume_questions(self, backend: Backend) -> None:
        super().resume_questions(backend)
        if self.turn.busy or self._closing or self._caps(backend).approval != "continuation":
            return
        message = self._stuck(None)
        if message is not None:
            names = ", ".join(part.tool_name for part in without_outcome(message))
            self._tell_soon(
                Notice(
                    f"You answered {names}, but the server has no outcome so far. Before your next message you are"
                    " asked what to do about it.",
                    "warning",
                )
            )

    async def _held_back(self, backend: Backend, outgoing: Outgoing) -> bool:
        if await super()._held_back(backend, outgoing):
            return True
        stuck = self._stuck(outgoing.message_id)
        if self._caps(backend).approval != "continuation" or stuck is None:
            return False
        run = self._run
        current = await self._outcome(backend, stuck)
        if self._run is not run:
            return True  # stopped meanwhile
        if stuck not in self.messages:
            return await self._held_back(
                backend, outgoing
            )  # the chat was read anew meanwhile: what it says now
        if current is None:
            return False
        if without_outcome(current):
            self._asked_anew |= {part.approval_id or "" for part in without_outcome(current)}
            current = waiting_again(current)
        current.finish, current.errors, current.faults = stuck.finish, stuck.errors, stuck.faults
        self._replace(stuck, current)
        self._reply = None  # what fails from here on is not this reply
        if not pending(current):
            return False
        self._ask_first(outgoing, current, _NO_OUTCOME)
        return True

    async def _outcome(self, backend: Backend, stuck: Message) -> Message | None:
        """The message as the server has it now, given a moment to finish; None when it has it no more.

        Raises BackendError; the user's message was not sent then.
        """
        current: Message | None = stuck
        try:
            for patience in (0.0, PATIENCE_SECONDS):
                await asyncio.sleep(patience)
                theirs = await backend.chat(self.chat_id)
                current = next((each for each in theirs.messages if each.id == stuck.id), None)
                if current is None or not without_outcome(current):
                    break
        except NotFound:
            return None
        except BackendError as error:
            error.delivery = "not-sent"
            raise
        return current

    def _as_asked(self, current: Message) -> Message:
        waits = {part.approval_id or "" for part in without_outcome(current)}
        return waiting_again(current) if waits and waits <= self._asked_anew else current

    def _stuck(self, besides: str | None) -> Message | None:
        """The last message the server has, when it holds answers that led to nothing."""
        for message in reversed(self.messages):
            if message.role == "assistant":
                return message if without_outcome(message) else None
            if message.id != besides and self._deliveries.get(message.id) not in ("not-sent", "unsure"):
                return None
        return None

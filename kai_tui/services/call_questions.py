"""Decides which calls of a running turn the user is asked about, and when (protocols/kai.md §9.4)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from kai_tui.conversation.tools import risk
from kai_tui.services.approval_round import ApprovalRound, Place, digest_of, question

if TYPE_CHECKING:
    from kai_tui.backends.base import ToolInfo
    from kai_tui.conversation.messages import Message, ToolPart
    from kai_tui.services.approval_service import Approval, ApprovalService, Decision

SILENCE_SECONDS = 15.0
"""A reading call that stays silent this long may be waiting for a decision."""


_SILENT = "It has been silent for a while: the server may wait for your decision."
_BLOCKED = "You blocked this tool, and the server has not refused the call: it may wait for your decision."
_READ_ONLY = "This chat is read-only, and yet the server seems to wait for your decision on a change."


class CallQuestions:
    """Asks, and takes questions back, for one chat."""

    def __init__(
        self,
        approvals: ApprovalService,
        *,
        chat_id: str,
        chat_title: Callable[[], str],
        place: Callable[[], Place],
        clock: Callable[[], float],
        on_decided: Callable[[Approval, Decision], None],
        on_asked: Callable[[], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`on_asked` is called after a question about a call of an open stream; `wall` gives seconds since the epoch."""
        self._approvals = approvals
        self._chat_id = chat_id
        self._chat_title = chat_title
        self._place = place
        self._clock = clock
        self._wall = wall
        self._on_decided = on_decided
        self._on_asked = on_asked
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.tools: Mapping[str, ToolInfo] = {}
        """The server's tool list, by name; empty where it has none."""
        self._changed: set[str] = set()
        """Tools whose permission changed during the turn: the server may still go by the old one."""
        self.asked: set[str] = set()
        """Ids of all calls the user was ever asked about."""
        self.first_asked: dict[str, float] = {}
        """When calls were asked about first, also in an earlier run, by id: seconds since the epoch."""
        self.edits = False
        """Whether answers may carry a changed input (`Capabilities.edits_input`)."""
        self.read_only_chat = False
        """Whether the server refuses by itself what would change something: there is nothing to ask about."""

    def use_tools(self, tools: Sequence[ToolInfo], *, midway: bool = False) -> None:
        """The server's tools with the user's permissions. `midway`: they changed while a turn runs."""
        fresh = {tool.name: tool for tool in tools}
        if midway:
            self._changed |= {
                name
                for name, tool in fresh.items()
                if name not in self.tools or self.tools[name].permission != tool.permission
            }
        else:
            self._changed.clear()
        self.tools = fresh

    def reads_only(self, name: str) -> bool:
        """Whether a tool changes nothing, as far as the server or our own list says."""
        return risk(name, self._read_only(name)) == "reads"

    def surely_writes(self, name: str) -> bool:
        """Whether a tool changes something, as the server or our own list says: not only for lack of knowledge."""
        return risk(name, self._read_only(name)) in ("creates", "changes") or self._read_only(name) is False

    def _read_only(self, name: str) -> bool | None:
        info = self.tools.get(name)
        return info.read_only if info is not None else None

    def ask(
        self,
        part: ToolPart,
        message: Message,
        note: str | None = None,
        *,
        value: bool = False,
        together: bool = False,
    ) -> Approval:
        """Put the question about one call to the user. `value`: it is answered with one; `together`: all of
        the message are."""
        approval = self._question(part, message, note, value=value, together=together)
        self.asked.add(part.tool_call_id)
        self._approvals.ask(approval, self._on_decided)
        self._on_asked()
        return approval

    def _question(
        self,
        part: ToolPart,
        message: Message,
        note: str | None = None,
        *,
        value: bool = False,
        together: bool = False,
    ) -> Approval:
        return question(
            part,
            message,
            chat_id=self._chat_id,
            chat_title=self._chat_title(),
            place=self._place(),
            read_only=self._read_only(part.tool_name),
            clock=self._clock,
            asked_at=self.first_asked.setdefault(part.tool_call_id, self._wall()),
            note=note,
            edits=self.edits,
            value=value,
            together=together,
        )

    def unasked(self, part: ToolPart, message: Message) -> tuple[Approval, Decision]:
        """What the server did without an answer from here, in the terms of a question and its answer."""
        from kai_tui.services.approval_service import Decision
        from kai_tui.services.call_rules import NOT_ASKED, SETTLED_ELSEWHERE, rule_words

        rule = SETTLED_ELSEWHERE
        if not self.is_open(part):
            info = self.tools.get(part.tool_name)
            rule = rule_words(part, noted="", decided=None, tool=info) or NOT_ASKED
        return self._question(part, message), Decision(approved=True, by="server", rule=rule)

    def ask_all(
        self, message: Message, calls: list[ToolPart], note: str | None = None, *, value: bool = False
    ) -> ApprovalRound:
        """Ask about every call that waits; they are answered together."""
        together = ApprovalRound(message.id)
        for part in calls:
            together.add(self.ask(part, message, note, value=value, together=True))
        return together

    def consider(self, part: ToolPart, message: Message) -> None:
        """A call of an open stream is complete: nothing on the wire says whether it waits (kai.md §9.2)."""
        info = self.tools.get(part.tool_name)
        permission = info.permission if info is not None else None
        allowed, blocked = permission == "always_allow", permission == "blocked"
        if allowed and part.tool_name not in self._changed:
            return
        reads = self.reads_only(part.tool_name)
        refused = self.read_only_chat and not reads
        if (permission == "always_ask" or not reads) and not (refused or allowed or blocked):
            self.ask(part, message)
            return
        call_id = part.tool_call_id
        self._stop_timer(call_id)

        def silent() -> None:
            self._timers.pop(call_id, None)
            if part.state == "input-available":
                self.ask(part, message, _READ_ONLY if refused else _BLOCKED if blocked else _SILENT)

        self._timers[call_id] = asyncio.get_running_loop().call_later(SILENCE_SECONDS, silent)

    def settled(self, part: ToolPart, *, explained: bool = False) -> None:
        """Its output arrived, or it changed: take the question away."""
        self._stop_timer(part.tool_call_id)
        self._approvals.withdraw(self._chat_id, part.tool_call_id, explained=explained)

    def _stop_timer(self, call_id: str) -> None:
        timer = self._timers.pop(call_id, None)
        if timer is not None:
            timer.cancel()

    def is_open(self, part: ToolPart) -> bool:
        """Whether the user was asked about a call and did not decide yet."""
        return self._approvals.is_pending(self._chat_id, part.tool_call_id)

    def is_stale(self, part: ToolPart) -> bool:
        """Whether a call is not what the user is being asked about any more (A5)."""
        asked = self._approvals.asked(self._chat_id, part.tool_call_id)
        return asked is not None and asked.digest != digest_of(part)

    def clear(self) -> None:
        """The stream is over: nothing can be answered any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._approvals.withdraw(self._chat_id)

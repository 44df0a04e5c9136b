"""What was decided, for good: every decision and what became of it (the table: `storage/ledger.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from kai_tui.services.approval_service import Approval, Decision

Outcome: TypeAlias = Literal["sent", "not sent", "unsure", "done", "failed", "denied", "settled elsewhere"]
"""`sent`: the server has the answer; `denied`: the call ended as denied; `unsure`: it may have arrived."""
ENDS: frozenset[Outcome] = frozenset(("not sent", "done", "failed", "denied", "settled elsewhere"))
"""Outcomes after which nothing more is expected."""


class Ledger(Protocol):
    """Never raises, but `decided` says whether it could be written."""

    async def decided(self, approval: Approval, decision: Decision) -> str | None:
        """Written before the answer is sent. None when it was, else one sentence of why not: an approval must not be
        sent then."""
        ...

    async def came_of_it(
        self, chat_id: str, tool_call_id: str, outcome: Outcome, *, job: str = "", detail: str = ""
    ) -> None:
        """What became of a decision. `job`: address or id of a job it started."""
        ...

    async def unsettled(self, chat_id: str) -> set[str]:
        """Ids of calls of a chat that were decided on and whose end is not written yet."""
        ...

    async def rules(self, chat_id: str) -> dict[str, str]:
        """Which rule decided each call of a chat, by tool call id, in our words: for the cards."""
        ...


class NoLedger:
    """Keeps nothing: for tests and for accounts whose files are closed."""

    async def decided(self, approval: Approval, decision: Decision) -> str | None:
        return None

    async def came_of_it(
        self, chat_id: str, tool_call_id: str, outcome: Outcome, *, job: str = "", detail: str = ""
    ) -> None:
        return None

    async def unsettled(self, chat_id: str) -> set[str]:
        return set()

    async def rules(self, chat_id: str) -> dict[str, str]:
        return {}

"""The ledger of one account, as its sessions write it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kai_tui.storage.errors import StorageError

if TYPE_CHECKING:
    from kai_tui.services.approval_service import Approval, Decision
    from kai_tui.services.ledger import Outcome
    from kai_tui.storage.ledger import LedgerFile
    from kai_tui.storage.ledger_chain import LedgerRow

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_OURS = "kai-tui made a mistake while writing the ledger."


class AccountLedger:
    """Writes in a thread, one entry after the other. What it needs is loaded at its first use."""

    def __init__(
        self, path: Callable[[], Path], account_id: str, secrets: Callable[[], Iterable[str]] = tuple
    ) -> None:
        """`path` is asked at the first entry, `secrets` is asked at every entry for the tokens in use."""
        self._path = path
        self._account_id = account_id
        self._secrets = secrets
        self._writing = asyncio.Lock()

    @cached_property
    def _file(self) -> LedgerFile:
        from kai_tui.storage.ledger import LedgerFile

        return LedgerFile(self._path(), self._account_id)

    async def decided(self, approval: Approval, decision: Decision) -> str | None:
        from kai_tui.services.ledger_entries import decision_entry

        try:
            entry = decision_entry(approval, decision, self._secrets())
            if decision.by == "server":
                await self._write(self._file.add_unless_decided, entry)
            else:
                await self._write(self._file.add, entry)
        except StorageError as error:
            return error.sentence
        except Exception:  # noqa: BLE001 - whatever it was: nothing may be approved unrecorded
            _LOG.exception("a decision could not be written")
            return _OURS
        return None

    async def came_of_it(
        self, chat_id: str, tool_call_id: str, outcome: Outcome, *, job: str = "", detail: str = ""
    ) -> None:
        from kai_tui.services.ledger_entries import outcome_entry

        try:
            entry = outcome_entry(
                chat_id, tool_call_id, outcome, job=job, detail=detail, secrets=self._secrets()
            )
            await self._write(self._file.add_outcome, chat_id, tool_call_id, entry)
        except StorageError as error:
            _LOG.warning("an outcome is not in the ledger: %s", error.sentence)
        except Exception:  # noqa: BLE001 - a fault of ours here must not take the chat down
            _LOG.exception("an outcome could not be written")

    async def unsettled(self, chat_id: str) -> set[str]:
        from kai_tui.services.ledger import ENDS

        return {
            call_id for call_id, (_, outcome) in (await self._calls(chat_id)).items() if outcome not in ENDS
        }

    async def rules(self, chat_id: str) -> dict[str, str]:
        from kai_tui.services.ledger_words import card_words

        return {
            call_id: card_words(decision) for call_id, (decision, _) in (await self._calls(chat_id)).items()
        }

    async def _calls(self, chat_id: str) -> dict[str, tuple[dict[str, Any], str]]:
        """The newest decision on each call, and what came of it."""
        rows: list[LedgerRow] = []
        try:
            rows = await asyncio.to_thread(self._file.of_chat, chat_id)
        except StorageError as error:
            _LOG.warning("the ledger could not be read: %s", error.sentence)
        calls: dict[str, tuple[dict[str, Any], str]] = {}
        for row in rows:
            entry = dict(row.entry)
            if entry.get("kind") == "decision":
                calls[row.call_id] = entry, ""
            elif entry.get("kind") == "outcome" and row.call_id in calls:
                calls[row.call_id] = calls[row.call_id][0], str(entry.get("outcome"))
        return calls

    async def _write(self, work: Callable[..., T], *arguments: Any) -> T:
        """In order, and to its end also when nobody waits any more."""
        async with self._writing:
            return await asyncio.shield(asyncio.to_thread(work, *arguments))

"""One open account: its backend and the services that work on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from kai_tui.backends.base import ServerInfo
from kai_tui.services.approval_service import ApprovalService
from kai_tui.services.chat_service import ChatService
from kai_tui.services.history_service import HistoryService

if TYPE_CHECKING:
    from kai_tui.services.account_service import Account

ConnectionState: TypeAlias = Literal["connecting", "connected", "failed"]


@dataclass(frozen=True, slots=True)
class Connection:
    """Whether the assistant answered; for the status bar."""

    state: ConnectionState
    info: ServerInfo | None = None
    sentence: str | None = None
    """What went wrong and what to do, when failed."""


class Workspace:
    """The chat screen's one door to the services."""

    account: Account
    chats: ChatService
    history: HistoryService
    approvals: ApprovalService
    connection: Connection

    def observe(self, callback: Callable[[Connection], None]) -> Callable[[], None]:
        """Hear of changes of `connection`."""
        raise NotImplementedError

    def connect(self) -> None:
        """Connect (again) in the background."""
        raise NotImplementedError

    async def save_draft(self, chat_id: str, text: str) -> None:
        """Keep what is being typed; an empty text removes the draft. Never raises."""
        raise NotImplementedError

    async def draft(self, chat_id: str) -> str:
        """What was being typed in this chat, else an empty string."""
        raise NotImplementedError

    async def last_draft(self) -> tuple[str, str] | None:
        """(chat id, text) of the newest draft, to take up after a crash."""
        raise NotImplementedError

    @property
    def storage_notice(self) -> str | None:
        """One sentence when data is kept in memory only (read-only home, disk full)."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Stop turns, save, close connections and files."""
        raise NotImplementedError

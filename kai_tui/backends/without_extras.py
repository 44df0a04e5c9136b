"""What most assistants do not have beside their chats. A base of adapters."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from kai_tui.backends.base import Outgoing, Unsupported

if TYPE_CHECKING:
    from kai_tui.backends.agents import Agents
    from kai_tui.backends.attachments import Attachments
    from kai_tui.backends.base import ChatSummary, OnNotice, Page
    from kai_tui.backends.documents import Documents
    from kai_tui.backends.project import Project
    from kai_tui.conversation.events import Event


def without_files(outgoing: Outgoing, who: str) -> None:
    """Raise Unsupported for a message with files: sending it without them would say something else."""
    if outgoing.attachments:
        raise Unsupported(f"{who} takes no files with a message. Nothing was sent.", code="attachments")


class WithoutExtras:
    """One agent, no documents, and what is deleted is gone."""

    _on_notice: OnNotice | None = None

    @property
    def on_notice(self) -> OnNotice | None:
        """Hears nothing: it has nothing to tell by itself."""
        return self._on_notice

    @on_notice.setter
    def on_notice(self, listener: OnNotice | None) -> None:
        self._on_notice = listener

    @property
    def agents(self) -> Agents | None:
        """Nobody to choose from."""
        return None

    @property
    def documents(self) -> Documents | None:
        """Nothing to look things up in."""
        return None

    @property
    def project(self) -> Project | None:
        """Nothing to look at beside the chats."""
        return None

    @property
    def attachments(self) -> Attachments | None:
        """Words only."""
        return None

    async def written(self, document_id: str) -> str:
        """Its assistant writes no documents."""
        raise Unsupported("This assistant writes no documents.")

    async def until_done(self, chat_id: str) -> bool:
        """It never says that it still works on a chat."""
        raise Unsupported("This server does not tell when it is done with a chat.")

    async def restore(self, chat_id: str) -> None:
        """Deleted chats are gone."""
        raise Unsupported("A deleted chat cannot be brought back here.")

    async def deleted_chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        """Deleted chats are gone."""
        raise Unsupported("A deleted chat cannot be brought back here.")

    async def take_up(self, chat_id: str) -> AsyncGenerator[Event, None]:
        """What broke off is not sent once more."""
        raise Unsupported("A reply that broke off cannot be taken up here.")
        yield  # pragma: no cover

    async def delete_all(self) -> int:
        """One after the other."""
        raise Unsupported("Chats can only be deleted one by one here.")

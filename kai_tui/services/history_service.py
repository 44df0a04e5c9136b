"""The list of chats: server history joined with the local copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kai_tui.backends.base import ChatSummary


class HistoryService:
    """Rows for the sidebar, newest first. Observers are told when `rows` changed."""

    @property
    def rows(self) -> Sequence[ChatSummary]:
        raise NotImplementedError

    loading: bool
    offline: str | None
    """One sentence when the rows come from the local copy because the server did not answer."""

    def observe(self, callback: Callable[[None], None]) -> Callable[[], None]:
        raise NotImplementedError

    async def refresh(self) -> None:
        """Local rows first, then the server's; never raises, failures are in `offline`."""
        raise NotImplementedError

    async def load_more(self) -> None:
        """The next page, when there is one."""
        raise NotImplementedError

    async def delete(self, chat_id: str) -> None:
        """Server first, then the local copy and draft. Raises BackendError and keeps everything then."""
        raise NotImplementedError

"""What the server offers beside the chats, on the chat screen: quota, health, panels."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from kai_tui.services.changes import Notice
from kai_tui.services.quota import level_of
from kai_tui.ui.screens.chat_loan import ChatLoan
from kai_tui.ui.screens.chat_queue import STRAY_SECONDS

if TYPE_CHECKING:
    from kai_tui.services.workspace import Connection


class ChatOffers(ChatLoan):
    """Asks before a message that will hardly be taken."""

    _warned: tuple[str, float] | None = None
    """The text that was held back because the quota is used up, and when (monotonic seconds)."""
    _told: Connection | None = None
    """The reconnection that was told."""

    # Quota

    def on_mount(self) -> None:
        self._composer.gate = self._may_send

    def _may_send(self, text: str) -> bool:
        """Enter was pressed. Holds a message back once when none is left: the server decides, not we."""
        quota = self.workspace.offers.quota.quota
        if quota is None or self.lent or level_of(quota) != "used-up":
            return True
        now = monotonic()
        if self._warned is not None and self._warned[0] == text:
            if now - self._warned[1] < STRAY_SECONDS:
                return False
            self._warned = None
            return True
        from kai_tui.services.quota_words import used_up

        self._warned = (text, now)
        self._tell(Notice(used_up(quota), "warning"))
        return False

    # Health

    def on_connection_news(self) -> None:
        connection = self.workspace.connection
        if connection.again and connection is not self._told:
            self._told = connection
            self._tell(
                Notice(f"Connected again: {connection.info.host if connection.info else 'Kai'} answers.")
            )

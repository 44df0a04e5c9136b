"""What the server offers beside the chats, on the chat screen: quota, health, panels."""

from __future__ import annotations

from abc import abstractmethod
from time import monotonic
from typing import TYPE_CHECKING

from kai_tui.services.notice import Notice
from kai_tui.services.quota import level_of
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_loan import ChatLoan
from kai_tui.ui.screens.chat_queue import STRAY_SECONDS

if TYPE_CHECKING:
    from kai_tui.services.workspace import Connection
    from kai_tui.ui.app import KaiApp
    from kai_tui.ui.bridge import ServerNotice
    from kai_tui.ui.modals.tools import ToolsDialog


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
                Notice(
                    f"Connected again: {connection.info.host if connection.info else self.assistant} answers."
                )
            )

    def on_server_notice(self, message: ServerNotice) -> None:
        message.stop()
        self._tell(Notice(message.sentence, "warning"))

    # Panels

    def action_about_server(self) -> None:
        """Who answers, and whether it does."""
        from kai_tui.conversation.safe_text import redact
        from kai_tui.ui.modals.about_server import AboutServer

        if not isinstance(app_of(self).screen, AboutServer):
            secrets = tuple(self.kai.live_secrets())
            agent = self.workspace.agents.of(self._session.chat_id if self._session is not None else None)
            name = agent.name if agent is not None else ""
            app_of(self).push_screen(AboutServer(self.workspace, lambda text: redact(text, secrets), name))

    def action_edit_instructions(self) -> None:
        """What Kai is told before every chat."""
        from kai_tui.ui.modals.instructions import InstructionsDialog

        if self._is_there("edit_instructions") and not isinstance(app_of(self).screen, InstructionsDialog):
            app_of(self).push_screen(InstructionsDialog(self.workspace.instructions))

    def action_tool_permissions(self) -> None:
        """Which tools there are and what they may do."""
        from kai_tui.ui.modals.tools import ToolsDialog

        if not self._is_there("tool_permissions") or isinstance(app_of(self).screen, ToolsDialog):
            return
        self._show_tools(ToolsDialog(self.workspace.offers.permissions))

    def _show_tools(self, dialog: ToolsDialog) -> None:
        """Permissions go on being saved behind the closed dialog."""
        permissions = self.workspace.offers.permissions

        async def settle() -> None:
            # A change goes on being saved behind the closed dialog; that it failed must not go unseen.
            for row in await permissions.settled():
                if row.trouble and (row.info.name, row.trouble) not in known:
                    self._tell(
                        Notice(f"The permission of {row.info.name} was not saved. {row.trouble}", "error")
                    )

        known: set[tuple[str, str]] = set()

        def closed(_: None) -> None:
            known.update((row.info.name, row.trouble) for row in permissions.rows if row.saving == "failed")
            self.run_worker(settle(), exit_on_error=False)

        app_of(self).push_screen(dialog, closed)

    @property
    @abstractmethod
    def kai(self) -> KaiApp:
        """The app, by its own type."""

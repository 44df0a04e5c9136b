"""Opening the ledger."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_reading import ChatReading

if TYPE_CHECKING:
    from kai_tui.ui.app import KaiApp


class ChatLedger(ChatReading):
    """What was decided, in this account first."""

    @property
    @abstractmethod
    def kai(self) -> KaiApp:
        """The running app."""

    def action_show_ledger(self) -> None:
        """The list of decisions."""
        from kai_tui.ui.modals.ledger import LedgerDialog

        if not isinstance(app_of(self).screen, LedgerDialog):
            paths = self.kai.accounts.paths
            app_of(self).push_screen(LedgerDialog(paths, self.workspace.account, self.open_link))

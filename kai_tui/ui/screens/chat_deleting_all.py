"""Deleting all chats at once, where the server can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.backends.errors import BackendError
from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_deleting import ChatDeleting

if TYPE_CHECKING:
    from collections.abc import Collection


class ChatDeletingAll(ChatDeleting):
    """Asks with the number of chats, deletes, says how many there were."""

    def action_delete_all_chats(self) -> None:
        """Delete every chat of the account, after asking."""
        from kai_tui.ui.modals.confirm_delete_all import ConfirmDeleteAll

        if not self._is_there("delete_all_chats") or isinstance(app_of(self).screen, ConfirmDeleteAll):
            return
        dialog = ConfirmDeleteAll(self.workspace.account.label, self.workspace.history.all_ids)

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._delete_all(dialog.counted), group="delete-all", exit_on_error=False)

        app_of(self).push_screen(dialog, answered)

    async def _delete_all(self, counted: Collection[str]) -> None:
        try:
            count, gone = await self.workspace.history.delete_all(counted)
        except BackendError as error:
            self._tell(Notice(f"Not all chats may be gone. {error.sentence}", "error"))
            return
        open_chat = self._session.chat_id if self._session is not None else self._opening
        if open_chat in gone:
            self._give_up_held()
            self._show(self.workspace.chats.new_chat())
            self._load_prompt("")
        self._tell(Notice("1 chat was deleted." if count == 1 else f"{count} chats were deleted."))

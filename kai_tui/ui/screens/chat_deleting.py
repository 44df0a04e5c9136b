"""Deleting chats, after asking; and bringing the last one back, where the server can."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from kai_tui.backends.errors import BackendError
from kai_tui.services.notice import Notice
from kai_tui.ui.action_words import key_name
from kai_tui.ui.actions import action
from kai_tui.ui.app_of import app_of
from kai_tui.ui.needs import known_caps, without
from kai_tui.ui.screens.chat_loan import ChatLoan

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.ui.widgets.chat_list import ChatList


class ChatDeleting(ChatLoan):
    """Actions that make chats go, and come back."""

    _deleted: tuple[str, str] | None = None
    """Id and title (raw) of the chat that was deleted last in this run and can be brought back."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "restore_chat":
            return self._deleted is not None
        return super().check_action(action, parameters)

    def on_chat_list_delete_requested(self, message: ChatList.DeleteRequested) -> None:
        self._ask_delete(message.chat_id)

    def action_delete_chat(self) -> None:
        """Delete the open chat, after asking."""
        if self._session is not None:
            self._ask_delete(self._session.chat_id)

    def _ask_delete(self, chat_id: str) -> None:
        from kai_tui.ui.modals.confirm_delete import ConfirmDelete

        caps = known_caps(self.workspace.account, self.workspace.caps_of(chat_id))
        if not caps.delete:
            self._tell(Notice(without("delete_chat", self.assistant)))
            return
        session = self.workspace.chats.sessions.get(chat_id)
        row = next((each for each in self.workspace.history.rows if each.id == chat_id), None)
        title = session.title if session is not None else row.title if row is not None else ""
        dialog = ConfirmDelete(
            chat_id,
            title,
            messages=len(session.messages) if session is not None else None,
            local=self.workspace.history.is_local(chat_id),
            comes_back=caps.restore and self.workspace.history.lists(chat_id),
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._delete(chat_id, title), exit_on_error=False)

        app_of(self).push_screen(dialog, answered)

    async def _delete(self, chat_id: str, title: str) -> None:
        caps = known_caps(self.workspace.account, self.workspace.caps_of(chat_id))
        there = self.workspace.history.lists(chat_id)
        try:
            await self.workspace.history.delete(chat_id)
        except BackendError as error:
            self._tell(Notice(f"The chat was not deleted. {error.sentence}", "error"))
            return
        self.workspace.chats.forget(chat_id)
        await self._forget_draft(chat_id)
        if (self._session is not None and self._session.chat_id == chat_id) or self._opening == chat_id:
            self._give_up_held()
            self._show(self.workspace.chats.new_chat())
            self._load_prompt("")
        if caps.restore and there:
            self._deleted = (chat_id, title)
            palette = key_name(action("open_palette").keys[0])
            self._tell(Notice(f"The chat was deleted. {palette}, then “bring back”, undoes that."))
        else:
            self._tell(Notice("The chat was deleted."))

    def action_restore_chat(self) -> None:
        """Bring back the chat that was deleted last."""
        deleted, self._deleted = self._deleted, None
        if deleted is None:
            self._tell(Notice("No chat was deleted that could be brought back."))
        else:
            self.run_worker(self._restore(*deleted), group="restore", exit_on_error=False)

    def action_deleted_chats(self) -> None:
        """The chats that can be brought back."""
        from kai_tui.ui.modals.deleted_chats import DeletedChats

        if not self._is_there("deleted_chats") or isinstance(app_of(self).screen, DeletedChats):
            return

        def chosen(chat: tuple[str, str] | None) -> None:
            if chat is not None:
                if self._deleted is not None and self._deleted[0] == chat[0]:
                    self._deleted = None
                self.run_worker(self._restore(*chat), group="restore", exit_on_error=False)

        app_of(self).push_screen(DeletedChats(self.workspace.history), chosen)

    async def _restore(self, chat_id: str, title: str) -> None:
        try:
            await self.workspace.history.restore(chat_id)
        except BackendError as error:
            self._deleted = self._deleted or (chat_id, title)
            self._tell(Notice(f"The chat was not brought back. {error.sentence}", "error"))
            return
        self._tell(Notice(f"“{title.strip() or 'The chat'}” is back in the list of chats."))

    @abstractmethod
    async def _forget_draft(self, chat_id: str) -> None:
        """What was being typed in this chat goes with it."""

    @abstractmethod
    def _give_up_held(self) -> None:
        """Texts that wait for a chat to open are not sent any more."""

    @abstractmethod
    def _show(self, session: ChatSession) -> None:
        """Bring a chat on screen."""

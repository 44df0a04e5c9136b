"""What runs without a question, and what never runs: said all the time, changed at any time."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from kai_tui.services.notice import Notice
from kai_tui.ui.action_words import key_name
from kai_tui.ui.actions import action
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_part import ChatPart

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.ui.bridge import GrantsNews
    from kai_tui.ui.modals.tools import ToolsDialog


class ChatAllowed(ChatPart):
    """Grants and the read-only switch on the chat screen."""

    _looked_for: ChatSession | None = None
    """The switched chat for which it was looked what the server runs all the same."""
    _permissions_heard: bool = False

    @abstractmethod
    def _begin(self) -> None:
        """Make the chat the program starts with, unless there is one."""

    def on_grants_news(self, message: GrantsNews) -> None:
        message.stop()
        ended = message.ended
        if ended is not None and not ended.by_user and ended.told:
            names = ", ".join(dict.fromkeys(each.terms.tool for each in ended.told))
            self._tell(Notice(f"{names}: you are asked again. What you allowed is over: {ended.why}."))
        self._refresh_words()

    def _refresh_words(self) -> None:
        session = self._session
        if session is None or not session.read_only_switch:
            self._looked_for = None
        elif session is not self._looked_for and self._lists_permissions:
            self._looked_for = session
            self.run_worker(self._look_what_runs_unasked(), group="unasked", exit_on_error=False)
        super()._refresh_words()

    @property
    def _lists_permissions(self) -> bool:
        """Whether the server keeps permissions; False while that is not known."""
        return self.workspace.caps is not None and self.caps.tool_permissions

    def _permissions_changed(self, _: None) -> None:
        self.call_later(self._refresh_words)

    async def _look_what_runs_unasked(self) -> None:
        """The switch decides what is asked; what the server runs without asking it cannot stop, so it is said."""
        permissions = self.workspace.offers.permissions
        if not self._permissions_heard:
            self._permissions_heard = True
            permissions.observe(self._permissions_changed)
        await permissions.load()
        names = [row.info.name for row in permissions.unasked]
        if names and self._looked_for is not None:
            tools = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            key = key_name(action("show_grants").keys[0])
            self._tell(
                Notice(
                    f"By your settings the server runs {tools} without asking. The read-only switch cannot stop "
                    f"that: {key} changes the settings.",
                    "warning",
                )
            )

    def action_show_grants(self) -> None:
        """What runs without a question."""
        from kai_tui.ui.modals.allowed import AllowedDialog

        if not self._is_there("show_grants") or isinstance(app_of(self).screen, AllowedDialog):
            return
        dialog = AllowedDialog(
            self.workspace.grants,
            self.workspace.offers.permissions,
            clock=self.workspace.clock,
            lists=self._lists_permissions,
            assistant=self.assistant,
        )
        self._show_tools(dialog)

    @abstractmethod
    def _show_tools(self, dialog: ToolsDialog) -> None:
        """Open a dialog in which permissions are changed, and tell afterwards what was not saved."""

    def action_toggle_read_only(self) -> None:
        """Nothing is changed from this chat any more, or it may be asked for again."""
        if not self._is_there("toggle_read_only"):
            return
        self._begin()
        session = self._session
        if session is None:
            self._tell(Notice("The chat is not open yet."))
            return
        on = not session.read_only_switch
        denied = session.switch_read_only(on)
        if not on:
            self._tell(Notice("The read-only switch is off: the assistant may ask to change things again."))
        elif denied:
            questions = (
                "The question that waited is" if denied == 1 else f"{denied} questions that waited are"
            )
            self._tell(Notice(f"The read-only switch is on for this chat. {questions} denied."))
        else:
            self._tell(
                Notice("The read-only switch is on for this chat: what would change something is denied.")
            )

"""Asks before all chats are deleted: counts them first, and cannot be answered with yes before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from textual.content import Content
from textual.widgets import Button, Static

from kai_tui.backends.base import BackendError
from kai_tui.ui.modals.confirm import Confirm
from kai_tui.ui.modals.confirm_delete import LEDGER_STAYS

_ALL = f"They are removed from the server, for every computer, and from this one. This cannot be undone. {LEDGER_STAYS}"


class ConfirmDeleteAll(Confirm):
    """Result: True to delete; `counted` are the chats the user was told of."""

    def __init__(self, where: str, count: Callable[[], Awaitable[Collection[str]]]) -> None:
        """`where`: whose chats they are; raw. `count` reads the ids of all there are."""
        from kai_tui.conversation.safe_text import safe_exact

        self.counted: Collection[str] = ()
        self._where = safe_exact(where, one_line=True).text
        self._count = count
        super().__init__(
            "Delete all chats?",
            self._words_for("Counting them…"),
            yes="Delete all",
            name="confirm-delete-all",
        )

    def _words_for(self, line: str, after: str = "") -> Content:
        return Content("\n").join(
            [
                Content.styled(line, "bold"),
                Content.styled(self._where, "$text-muted"),
                Content(""),
                Content(after),
            ]
        )

    def on_mount(self) -> None:
        self.query_one("#yes", Button).disabled = True
        self.run_worker(self._counting(), exit_on_error=False)

    async def _counting(self) -> None:
        try:
            self.counted = await self._count()
        except BackendError as error:
            from kai_tui.conversation.safe_text import safe_prose

            words = self._words_for("They could not be counted.", str(safe_prose(error.sentence)))
        else:
            number = len(self.counted)
            if number:
                words = self._words_for("1 chat" if number == 1 else f"All {number} chats", _ALL)
            else:
                words = self._words_for("There are no chats.", "")
        if not self.standing:
            return
        self.query_one("#body", Static).update(words)
        self.query_one("#yes", Button).disabled = not self.counted

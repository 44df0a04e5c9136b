"""Chats that were deleted and can be brought back, in this run or an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.backends.base import BackendError
from kai_tui.ui.modals.base import Ask

if TYPE_CHECKING:
    from kai_tui.backends.base import ChatSummary
    from kai_tui.services.history_service import HistoryService

_KEYS = "↑ ↓ choose · Enter brings it back · r read anew · Esc close"
_READING = "Reading the list…"
_NOTHING = "There are no deleted chats."
LONGEST_TITLE = 56


class DeletedChats(Ask[tuple[str, str]]):
    """Result: id and title (raw) of the chat to bring back, or None. Further pages come at the list's end."""

    AUTO_FOCUS: ClassVar[str | None] = "#deleted"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "read", "Read again", show=False)]
    DEFAULT_CSS = """
    DeletedChats .dialog { width: 78; }
    DeletedChats #deleted { height: auto; max-height: 14; border: none; background: $surface; padding: 0; margin: 1 0 0 0; }
    DeletedChats #deleted-words { height: auto; margin: 1 0; }
    """

    def __init__(self, history: HistoryService) -> None:
        super().__init__(name="deleted-chats")
        self._history = history
        self._rows: list[ChatSummary] = []
        self._cursor: str | None = None
        self._reading = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Deleted chats")
            yield OptionList(id="deleted", markup=False)
            yield Static(_READING, id="deleted-words", markup=False)
            yield Static(_KEYS, classes="quiet", markup=False)

    def on_mount(self) -> None:
        self.action_read()

    def action_read(self) -> None:
        """Ask the server for the list."""
        self._next(None)

    def _next(self, cursor: str | None) -> None:
        if not self._reading:
            self._reading = True
            self._say(_READING)
            self.run_worker(self._read(cursor), exit_on_error=False)

    async def _read(self, cursor: str | None) -> None:
        from kai_tui.conversation.safe_text import safe_line, safe_prose

        try:
            page = await self._history.deleted(cursor)
        except BackendError as error:
            self._say(f"{safe_prose(error.sentence)} Press r to try again.")
            return
        finally:
            self._reading = False
        if not self.standing:
            return
        rows = self.query_one("#deleted", OptionList)
        if cursor is None:
            self._rows.clear()
            rows.clear_options()
        known = {row.id for row in self._rows}
        fresh = [row for row in page.items if row.id not in known]
        self._rows += fresh
        self._cursor = page.cursor if fresh else None
        for row in fresh:
            title = str(safe_line(row.title, LONGEST_TITLE)).strip() or "a chat without a title"
            day = str(safe_line((row.updated_at or row.created_at)[:10], 10))
            rows.add_option(Option(Content.assemble(title, (f"  {day}", "$text-muted"))))
        if self._rows and rows.highlighted is None:
            rows.highlighted = 0
        more = " The list goes on below." if self._cursor else ""
        count = "1 chat" if len(self._rows) == 1 else f"{len(self._rows)} chats"
        self._say(f"{count}.{more}" if self._rows else _NOTHING)

    def _say(self, words: str) -> None:
        if self.standing:
            self.query_one("#deleted-words", Static).update(Content(words))

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        message.stop()
        if self._cursor is not None and message.option_index == len(self._rows) - 1:
            self._next(self._cursor)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        row = self._rows[message.option_index]
        self.finish((row.id, row.title))

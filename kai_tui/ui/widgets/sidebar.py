"""The column of chats: title, search, list, and one line about where the list comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widgets import Input, Static

from kai_tui.conversation.safe_text import safe_line
from kai_tui.ui.widgets.chat_list import ChatList, ChatMark
from kai_tui.ui.widgets.filter_input import FilterInput

if TYPE_CHECKING:
    from kai_tui.backends.base import ChatSummary

NO_CHATS = "No chats yet"
NOTHING_FOUND = "Nothing found"
LOADING = "loading…"
OFFLINE = "offline: showing copies"


class Sidebar(Container):
    """Shows the history. Messages are those of `ChatList`."""

    DEFAULT_CSS = """
    Sidebar {
        width: 30;
        background: $background;
        & > #chats-title { height: 1; padding: 0 1; text-style: bold; color: $text-primary; }
        & > #chats-filter { height: 1; border: none; padding: 0 1; background: $surface; margin-bottom: 1; }
        & > #chats-filter .input--placeholder { color: $text-muted; }
        & > #chats-filter:focus { background: $panel; }
        & > #chats-notice { height: 1; padding: 0 1; color: $text-muted; display: none; }
        & > #chats-notice.-shown { display: block; }
        & > #chats-notice.-offline { color: $text-warning; }
    }
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = datetime.now,
        loading: bool = False,
        id: str | None = "sidebar",
    ) -> None:
        """`now` tells the time for the day headers. `loading`: chats will come."""
        super().__init__(id=id)
        self.filter_input = FilterInput(placeholder="/ search", id="chats-filter")
        self.chat_list = ChatList(now=now, filter_input=self.filter_input, id="chats-list")
        self.filter_input.command = self._filter_command
        self.filter_input.edited = self._filter
        self._notice = Static(
            LOADING if loading else "", id="chats-notice", classes="-shown" if loading else None, markup=False
        )
        self._loading = loading
        self._say_empty()

    def compose(self) -> ComposeResult:
        yield Static("Chats", id="chats-title", markup=False)
        yield self.filter_input
        yield self.chat_list
        yield self._notice

    def show(self, rows: Sequence[ChatSummary], *, loading: bool = False, offline: str | None = None) -> None:
        """The chats, newest first. `offline` is the sentence that says why these are copies."""
        self._loading = loading
        self.chat_list.show(rows)
        self._say_empty()
        self._notice.set_class(bool(loading or offline), "-shown")
        self._notice.set_class(bool(offline) and not loading, "-offline")
        self._notice.update(Content(LOADING if loading else OFFLINE if offline else ""))
        self._notice.tooltip = Content(safe_line(offline)) if offline else None

    def show_marks(self, marks: Mapping[str, tuple[ChatMark, int]]) -> None:
        """What each chat wants, and how often."""
        self.chat_list.show_marks(marks)

    @property
    def open_id(self) -> str | None:
        """The chat that is open."""
        return self.chat_list.open_id

    @open_id.setter
    def open_id(self, chat_id: str | None) -> None:
        if chat_id != self.chat_list.open_id:
            self.chat_list.open_id = chat_id
            if chat_id is not None:
                self.chat_list.move_to(chat_id)

    def focus_list(self) -> None:
        """Put the focus on the list."""
        self.chat_list.focus()

    def focus_filter(self) -> None:
        """Put the focus into the search field."""
        self.filter_input.focus()

    def _filter(self, needle: str) -> None:
        self.chat_list.filter(needle)
        self._say_empty()

    def _filter_command(self, key: str) -> bool:
        if key == "escape" and self.filter_input.value:
            self.filter_input.value = ""
            return True
        return key not in ("home", "end") and self.chat_list.command(key)

    def _say_empty(self) -> None:
        if self.chat_list.needle:
            self.chat_list.empty_text = NOTHING_FOUND
        else:
            self.chat_list.empty_text = LOADING if self._loading else NO_CHATS
        self.chat_list.refresh()

    @on(Input.Changed, "#chats-filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._filter(event.value)

    def on_descendant_focus(self) -> None:
        # The arrow keys move the list's cursor from the search field too.
        self.chat_list.set_class(self.filter_input.has_focus, "-driven")

    def on_descendant_blur(self) -> None:
        self.chat_list.remove_class("-driven")

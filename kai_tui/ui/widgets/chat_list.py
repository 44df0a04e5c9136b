"""The list of chats: one virtual widget, only the visible lines are ever drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kai_tui.conversation.safe_text import safe_line
from kai_tui.ui.widgets.chat_rows import ChatRows
from kai_tui.ui.widgets.filter_input import FilterInput
from kai_tui.ui.widgets.one_line import clip

if TYPE_CHECKING:
    from kai_tui.backends.base import ChatSummary

ChatMark: TypeAlias = Literal["working", "waiting", "failed", "new"]
"""A reply streams; a call waits for a decision; a reply broke off; an answer nobody has looked at."""

_MARKS: Mapping[ChatMark, str] = {"working": "●", "waiting": "!", "failed": "✗", "new": "new"}
UNTITLED = "Untitled chat"
ROOM_FOR_PUBLIC = 24
"""Columns from which a row says that others can read the chat."""
_NEAR = 20
"""So many lines before the last one, more chats are asked for."""


class ChatList(ScrollView, can_focus=True):
    """Chats by day, with a cursor and the open one marked. The cursor stays with its chat when rows change."""

    DEFAULT_CSS = """
    ChatList {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        background: $background;
        & .chat-list--header { color: $text-muted; text-style: bold; }
        & .chat-list--chat { color: $foreground; }
        & .chat-list--open { color: $text-primary; text-style: bold; }
        & .chat-list--hover { background: $boost; }
        &:focus .chat-list--cursor, &.-driven .chat-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
        & .chat-list--working { color: $text-accent; }
        & .chat-list--waiting { color: $text-warning; text-style: bold; }
        & .chat-list--failed { color: $text-error; }
        & .chat-list--new { color: $text-success; }
        & .chat-list--public { color: $text-warning; }
        & .chat-list--empty { color: $text-muted; text-style: italic; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"chat-list--{name}"
        for name in (
            "header",
            "chat",
            "open",
            "hover",
            "cursor",
            "working",
            "waiting",
            "failed",
            "new",
            "public",
            "empty",
        )
    }

    cursor_line: var[int] = var(-1, init=False)
    """The line of the cursor; -1 when no chat is shown."""
    hover_line: var[int] = var(-1, init=False)
    open_id: var[str | None] = var[str | None](None, init=False)
    """The chat that is open."""

    class Opened(Message):
        """The user wants to see this chat."""

        def __init__(self, chat_list: ChatList, chat_id: str) -> None:
            super().__init__()
            self.chat_list = chat_list
            self.chat_id = chat_id

        @property
        def control(self) -> ChatList:
            return self.chat_list

    class DeleteRequested(Message):
        """The user wants this chat deleted. Nothing is deleted yet: ask first."""

        def __init__(self, chat_list: ChatList, chat_id: str) -> None:
            super().__init__()
            self.chat_list = chat_list
            self.chat_id = chat_id

        @property
        def control(self) -> ChatList:
            return self.chat_list

    class NearEnd(Message):
        """The last known chats come into view. Posted once for every length of the list."""

        def __init__(self, chat_list: ChatList) -> None:
            super().__init__()
            self.chat_list = chat_list

        @property
        def control(self) -> ChatList:
            return self.chat_list

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = datetime.now,
        filter_input: FilterInput | None = None,
        id: str | None = None,
    ) -> None:
        """`now` tells the time for the day headers; without a time zone it is this computer's.
        `filter_input` gets the keys after `/`.
        """
        super().__init__(id=id)
        self._now = now
        self._filter_input = filter_input
        self._handing_over = False
        self._rows = ChatRows((), now())
        self._marks: dict[str, tuple[ChatMark, int]] = {}
        """Mark and number of a chat, shown whenever its row is."""
        self._told_near_end_at = -1
        self.empty_text = ""
        """Said when there is no chat to show."""

    # Rows

    def show(self, chats: Sequence[ChatSummary]) -> None:
        """Other chats, newest first. Cursor and view stay with the chat they are at."""
        needle = self._rows.needle
        rows = ChatRows(chats, self._now())
        if needle:
            rows.filter(needle)
        held, line = self.cursor_id or self.open_id, self.cursor_line
        offset = self.cursor_line - self.scroll_offset.y
        anchor = self._rows.nearest(self.scroll_offset.y)
        if not 0 <= offset < self.size.height and anchor is not None:
            seen, offset = self._rows.chat_at(anchor), anchor - self.scroll_offset.y
            stay_with = seen.id if seen is not None else None
        else:
            stay_with = held
        at_top = self.scroll_offset.y == 0
        self._rows = rows
        new_line = rows.line_of(held) if held is not None else None
        self._resize_rows()
        self.set_reactive(ChatList.cursor_line, self._line_or_near(new_line, line))
        staying = rows.line_of(stay_with) if stay_with is not None else None
        if staying is not None and not at_top:
            self.scroll_to(y=staying - offset, animate=False)
        self.refresh()
        self._look_for_end()

    def filter(self, needle: str) -> None:
        """Show only chats with these words in their title; an empty text shows all again."""
        held, before = self.cursor_id, self._rows.needle
        self._rows.filter(needle)
        if self._rows.needle == before:
            return
        self._resize_rows()
        line = self._rows.line_of(held) if held is not None and not needle else None
        self.set_reactive(ChatList.cursor_line, self._line_or_near(line, 0))
        self._scroll_to_cursor()
        self.refresh()
        self._look_for_end()

    @property
    def needle(self) -> str:
        """What the list is filtered for."""
        return self._rows.needle

    @property
    def cursor_id(self) -> str | None:
        """The chat under the cursor."""
        chat = self._rows.chat_at(self.cursor_line)
        return chat.id if chat is not None else None

    def move_to(self, chat_id: str) -> bool:
        """Put the cursor on a chat; False when it is not shown."""
        line = self._rows.line_of(chat_id)
        if line is not None:
            self.cursor_line = line
        return line is not None

    def show_marks(self, marks: Mapping[str, tuple[ChatMark, int]]) -> None:
        """The marks of all chats; a number above 1 stands before its mark."""
        before, self._marks = self._marks, dict(marks)
        for chat_id in before.keys() | self._marks.keys():
            if before.get(chat_id) != self._marks.get(chat_id):
                self._refresh_chat(chat_id)

    def _line_or_near(self, line: int | None, else_near: int) -> int:
        if line is None:
            line = self._rows.nearest(max(0, else_near))
        return -1 if line is None else line

    def _resize_rows(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._rows.lines))
        # Now, not with the next layout: scrolling further than the old rows went must work at once.
        self._refresh_scrollbars()

    def _look_for_end(self) -> None:
        if self._rows.needle or self.size.height == 0:
            return
        total = len(self._rows.chats)
        below = len(self._rows.lines) - self.scroll_offset.y - self.size.height
        if total and below < _NEAR and self._told_near_end_at != total:
            self._told_near_end_at = total
            self.post_message(self.NearEnd(self))

    # Moving

    def step(self, lines: int) -> None:
        """Move the cursor over so many lines, past headers."""
        if self.cursor_line >= 0:
            found = self._rows.nearest(self.cursor_line + lines, 1 if lines > 0 else -1)
            if found is not None:
                self.cursor_line = found

    def open_cursor(self) -> None:
        """Open the chat under the cursor."""
        if self.cursor_id is not None:
            self.post_message(self.Opened(self, self.cursor_id))

    def command(self, key: str) -> bool:
        """Do what a key means here, at once; False when it means nothing."""
        page = max(1, self.size.height - 1)
        everything = len(self._rows.lines)
        steps = {
            "up": -1,
            "down": 1,
            "pageup": -page,
            "pagedown": page,
            "home": -everything,
            "end": everything,
        }
        if key in steps:
            self.step(steps[key])
        elif key == "enter":
            self.open_cursor()
        else:
            return False
        return True

    async def _on_key(self, event: events.Key) -> None:
        if self._handing_over and self._filter_input is not None:
            self._filter_input.take(event)
        elif event.key == "slash" and self._filter_input is not None:
            # Keys typed right behind the slash still come here until the focus has moved.
            self._handing_over = True
            self._filter_input.focus()
        elif event.key in ("d", "delete") and self.cursor_id is not None:
            self.post_message(self.DeleteRequested(self, self.cursor_id))
        elif not self.command({"j": "down", "k": "up"}.get(event.key, event.key)):
            return
        event.stop()
        event.prevent_default()

    def _on_blur(self, event: events.Blur) -> None:
        super()._on_blur(event)
        self._handing_over = False

    def watch_cursor_line(self, old: int, new: int) -> None:
        self.refresh_line(old)
        self.refresh_line(new)
        self._scroll_to_cursor()

    def watch_hover_line(self, old: int, new: int) -> None:
        self.refresh_line(old)
        self.refresh_line(new)

    def watch_open_id(self, old: str | None, new: str | None) -> None:
        for chat_id in (old, new):
            if chat_id is not None:
                self._refresh_chat(chat_id)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._look_for_end()

    def _refresh_chat(self, chat_id: str) -> None:
        line = self._rows.line_of(chat_id)
        if line is not None:
            self.refresh_line(line)

    def _scroll_to_cursor(self) -> None:
        line, top, height = self.cursor_line, self.scroll_offset.y, self.size.height
        if line < 0 or height == 0:
            return
        # The header of the first chat of a day stays in view with it.
        first = line - 1 if self._rows.header_at(line - 1) is not None else line
        if first < top:
            self.scroll_to(y=first, animate=False)
        elif line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False)

    # Mouse

    def _line_under(self, event: events.MouseEvent) -> int:
        line = event.y + self.scroll_offset.y
        return line if self._rows.chat_at(line) is not None else -1

    def _on_mouse_move(self, event: events.MouseMove) -> None:
        self.hover_line = self._line_under(event)

    def _on_leave(self, event: events.Leave) -> None:
        super()._on_leave(event)
        self.hover_line = -1

    async def _on_click(self, event: events.Click) -> None:
        line = self._line_under(event)
        if line >= 0:
            self.cursor_line = line
            self.open_cursor()

    def _on_resize(self, event: events.Resize) -> None:
        self._resize_rows()
        self._scroll_to_cursor()
        self._look_for_end()

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        line = y + self.scroll_offset.y
        if width <= 0:
            return Strip.blank(0)
        if not self._rows.lines and y == 0 and self.empty_text:
            style = self.get_component_rich_style("chat-list--empty")
            return Strip([Segment(set_cell_size(clip(f" {self.empty_text}", width), width), style)], width)
        header = self._rows.header_at(line)
        if header is not None:
            style = self.get_component_rich_style("chat-list--header")
            return Strip([Segment(set_cell_size(clip(f" {header}", width), width), style)], width)
        chat = self._rows.chat_at(line)
        if chat is None:
            return Strip.blank(width, self.visual_style.rich_style)
        return self._chat_strip(chat, line, width)

    def _chat_strip(self, chat: ChatSummary, line: int, width: int) -> Strip:
        is_open = chat.id == self.open_id
        names = ["chat-list--open" if is_open else "chat-list--chat"]
        if line == self.hover_line:
            names.append("chat-list--hover")
        if line == self.cursor_line:
            names.append("chat-list--cursor")
        style = self.get_visual_style(*names).rich_style
        mark, number = self._marks.get(chat.id, (None, 0))
        count = str(number) if number > 1 else ""
        sign = f" {count}{_MARKS[mark]} " if mark is not None else " "
        aside = " public" if chat.visibility == "public" and width >= ROOM_FOR_PUBLIC else ""
        room = max(0, width - 1 - cell_len(aside) - cell_len(sign))
        title = set_cell_size(clip(safe_line(chat.title.strip()) or UNTITLED, room), room)
        row = [Segment("▌" if is_open else " ", style), Segment(title, style)]
        if aside:
            row.append(Segment(aside, self.get_visual_style(*names, "chat-list--public").rich_style))
        if mark is not None:
            style = self.get_visual_style(*names, f"chat-list--{mark}").rich_style
        row.append(Segment(sign, style))
        return Strip(row).adjust_cell_length(width, style)

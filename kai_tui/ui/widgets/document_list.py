"""The list of documents: one virtual widget, only the visible rows are ever drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kai_tui.services.local_files import shown_size
from kai_tui.ui.widgets.one_line import clip

if TYPE_CHECKING:
    from kai_tui.services.documents import Row, Upload

_KIND_COLUMN = 9
_SIZE_COLUMN = 9
_STATE_COLUMN = 19
_STATES = {"ready": ("ready", "good"), "working": ("being read…", "busy"), "failed": ("✗ failed", "bad")}
_UPLOADS = {
    "waiting": ("waits", "quiet"),
    "sending": ("sending…", "busy"),
    "being-read": ("being read…", "busy"),
    "ready": ("✓ stored", "good"),
    "failed": ("✗ failed", "bad"),
    "stopped": ("stopped", "bad"),
}
_DEEDS = {
    "deleting": ("deleting…", "busy"),
    "deleted": ("deleted", "quiet"),
    "restoring": ("bringing back…", "busy"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the list."""

    key: tuple[str, str]
    """What it is about; stays while its words change."""
    name: str
    """Raw."""
    kind: str
    size: int | None
    state: str
    tone: str
    upload: Upload | None = None
    row: Row | None = None


def upload_line(upload: Upload) -> Line:
    """What is on its way, or what became of it."""
    state, tone = _UPLOADS[upload.state]
    if upload.state == "sending" and upload.total:
        state = (
            f"sending {upload.sent * 100 // upload.total} %" if upload.sent < upload.total else "being taken…"
        )
    elif upload.state == "waiting" and upload.note:
        state = "held back"
    kind = "file" if upload.size is not None else "website"
    return Line(("upload", str(upload.number)), upload.name, kind, upload.size, state, tone, upload=upload)


def row_line(row: Row) -> Line:
    """What the server has."""
    document = row.document
    if row.doing:
        state, tone = _DEEDS[row.doing]
    elif row.trouble:
        state, tone = "✗ not done", "bad"
    else:
        state, tone = _STATES.get(document.state, ("", "quiet"))
    key = (document.kind, document.id)
    return Line(key, document.name, document.kind, document.size, state, tone, row=row)


class DocumentList(ScrollView, can_focus=True):
    """Uploads and documents with a cursor. Keys that do something are the dialog's."""

    DEFAULT_CSS = """
    DocumentList {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        background: $surface;
        & .document-list--name { color: $foreground; }
        & .document-list--quiet { color: $text-muted; }
        & .document-list--busy { color: $text-accent; }
        & .document-list--good { color: $text-success; }
        & .document-list--bad { color: $text-error; }
        & .document-list--cursor { background: $boost; }
        &:focus .document-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"document-list--{name}" for name in ("name", "quiet", "busy", "good", "bad", "cursor")
    }

    cursor_line: var[int] = var(0, init=False)

    @dataclass
    class Moved(Message):
        """The cursor is at another line, or the line changed."""

        line: Line | None

    @dataclass
    class Chosen(Message):
        """Enter on a line."""

        line: Line

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self.empty_text = ""
        """Said when there is nothing to show."""

    @property
    def line(self) -> Line | None:
        """What the cursor is on."""
        return self._lines[self.cursor_line] if 0 <= self.cursor_line < len(self._lines) else None

    @property
    def lines(self) -> Sequence[Line]:
        """All lines."""
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Other lines; the cursor stays with its own."""
        held = self.line
        before, self._lines = self._lines, tuple(lines)
        at = min(max(self.cursor_line, 0), max(0, len(self._lines) - 1))
        if held is not None and (at >= len(self._lines) or self._lines[at].key != held.key):
            at = next((number for number, each in enumerate(self._lines) if each.key == held.key), at)
        if len(before) != len(self._lines):
            self.virtual_size = Size(self.size.width, len(self._lines))
            self._refresh_scrollbars()
        moved = at != self.cursor_line
        self.set_reactive(DocumentList.cursor_line, at)
        if moved:
            self.scroll_to_cursor()
        self.refresh()
        self.post_message(self.Moved(self.line))

    async def _on_key(self, event: events.Key) -> None:
        page, every = max(1, self.size.height - 1), len(self._lines)
        steps = {
            "up": -1, "k": -1, "down": 1, "j": 1, "pageup": -page, "pagedown": page, "home": -every, "end": every,
        }  # fmt: skip
        if event.key == "enter" and self.line is not None:
            self.post_message(self.Chosen(self.line))
        elif event.key in steps:
            if every:
                self.cursor_line = min(max(self.cursor_line + steps[event.key], 0), every - 1)
        else:
            return
        event.stop()
        event.prevent_default()

    async def _on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line < len(self._lines):
            self.cursor_line = line

    def _on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(self.size.width, len(self._lines))
        self.scroll_to_cursor()

    def watch_cursor_line(self, old: int, new: int) -> None:
        self.refresh_line(old)
        self.refresh_line(new)
        self.scroll_to_cursor()
        self.post_message(self.Moved(self.line))

    def scroll_to_cursor(self) -> None:
        """Bring the cursor into view."""
        line, top, height = self.cursor_line, self.scroll_offset.y, self.size.height
        if height and line < top:
            self.scroll_to(y=line, animate=False)
        elif height and line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False)

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        number = y + self.scroll_offset.y
        if width <= 0:
            return Strip.blank(0)
        if not self._lines and y == 0:
            style = self.get_component_rich_style("document-list--quiet")
            return Strip([Segment(set_cell_size(clip(f" {self.empty_text}", width), width), style)], width)
        if number >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return self._strip(self._lines[number], number == self.cursor_line, width)

    def _strip(self, line: Line, cursor: bool, width: int) -> Strip:
        from kai_tui.conversation.safe_text import safe_exact

        def style(name: str) -> Style:
            names = [f"document-list--{name}", *(["document-list--cursor"] if cursor else [])]
            return self.get_visual_style(*names).rich_style

        room = max(8, width - _KIND_COLUMN - _SIZE_COLUMN - _STATE_COLUMN - 2)
        name = clip(safe_exact(line.name, one_line=True).text, room)
        size = shown_size(line.size) if line.size is not None else ""
        cells = (
            (" " + name, room + 2, "quiet" if line.tone == "quiet" and line.row is None else "name"),
            (line.kind, _KIND_COLUMN, "quiet"),
            (size.rjust(_SIZE_COLUMN - 2), _SIZE_COLUMN, "quiet"),
            (line.state, _STATE_COLUMN, line.tone),
        )
        segments = [
            Segment(text + " " * max(0, cells_ - cell_len(text)), style(tone)) for text, cells_, tone in cells
        ]
        return Strip(segments).adjust_cell_length(width, style("name"))

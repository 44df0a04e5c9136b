"""The list of documents: one virtual widget, only the visible rows are ever drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.message import Message

from kai_tui.services.local_files import shown_size
from kai_tui.ui.widgets.line_list import LETTERS, LineList
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


class DocumentList(LineList):
    """Uploads and documents with a cursor. Keys that do something are the dialog's."""

    DEFAULT_CSS = """
    DocumentList {
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

    PREFIX = "document-list"

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

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self._lines)

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
        self._lines = tuple(lines)
        at = min(max(self.cursor_line, 0), max(0, len(self._lines) - 1))
        if held is not None and (at >= len(self._lines) or self._lines[at].key != held.key):
            at = next((number for number, each in enumerate(self._lines) if each.key == held.key), at)
        moved = at != self.cursor_line
        self._count_changed(at)
        if moved:
            self.scroll_to_cursor()
        self.post_message(self.Moved(self.line))

    def _tell_moved(self) -> None:
        self.post_message(self.Moved(self.line))

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter" and self.line is not None:
            self.post_message(self.Chosen(self.line))
        elif not self.move(LETTERS.get(event.key, event.key)):
            return
        event.stop()
        event.prevent_default()

    def _cells(self, number: int, width: int) -> list[tuple[str, int, str]]:
        from kai_tui.conversation.safe_text import safe_exact

        line = self._lines[number]
        room = max(8, width - _KIND_COLUMN - _SIZE_COLUMN - _STATE_COLUMN - 2)
        name = clip(safe_exact(line.name, one_line=True).text, room)
        size = shown_size(line.size) if line.size is not None else ""
        return [
            (" " + name, room + 2, "quiet" if line.tone == "quiet" and line.row is None else "name"),
            (line.kind, _KIND_COLUMN, "quiet"),
            (size.rjust(_SIZE_COLUMN - 2), _SIZE_COLUMN, "quiet"),
            (line.state, _STATE_COLUMN, line.tone),
        ]

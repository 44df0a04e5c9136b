"""Sources, files, data and parts we do not know: one line each, the whole of it on demand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from kai_tui.conversation.kept_message import UNREADABLE
from kai_tui.conversation.messages import DataPart, FilePart, Part, SourcePart
from kai_tui.conversation.safe_text import safe_line
from kai_tui.ui.transcript.items import ITEM_ROWS, Block, Item, Tone, Unit
from kai_tui.ui.transcript.renderers.tool_data import Detail, pretty, text_details
from kai_tui.ui.transcript.rows import Block as RowBlock
from kai_tui.ui.transcript.rows import Lead, Link, Row, Span

_DAMAGED = "The copy of this message kept on this computer is damaged: it cannot be read."
SILENT_DATA = frozenset(
    {"data-usage", "data-chat-title", "data-finish", "data-id", "data-kind", "data-clear"}
)
"""Data parts that are facts for the program, not for the reader (kai.md §10)."""


_NOT_CITED = "  not cited"


def _text(part: Part, name: str) -> str:
    value = part.fields.get(name)
    return value if isinstance(value, str) else ""


def source_row(part: SourcePart, mark: str = "↗ ") -> Row:
    """A source: its number in the answer, its title, and where it is. Choosing it asks; nothing opens by itself."""
    url = _text(part, "url")
    title = safe_line(_text(part, "title") or _text(part, "filename") or url or "source", 200)
    number = part.fields.get("number")
    numbered = isinstance(number, int) and not isinstance(number, bool)
    before = f"[{number}] " if numbered else ""
    start, end = len(before), len(before) + len(title)
    links: list[Link] = []
    spans: list[Span] = [Span(0, start, "muted")] if before else []
    text = before + title
    if url:
        links.append(Link(start, end, url))
        spans.append(Span(start, end, "link"))
        host = safe_line(host_of(url), 80)
        if host and host not in title:
            text = f"{text}  {host}"
            spans.append(Span(end, len(text), "muted"))
    if part.fields.get("cited") is False:
        spans.append(Span(len(text), len(text) + len(_NOT_CITED), "muted"))
        text += _NOT_CITED
    return Row(text, spans, links, lead=(Lead(mark, "muted"),), rest=(Lead("  ", ""),))


def host_of(url: str) -> str:
    """The host an address leads to; raw."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def file_row(part: FilePart) -> Row:
    """A file: its name, kind and size or address. Never fetched by itself."""
    url = _text(part, "url")
    # iMBRACE says `name` (imbrace.md §8).
    name = safe_line(_text(part, "filename") or _text(part, "name") or "file", 120)
    facts: list[str] = [safe_line(_text(part, "mediaType"), 80)]
    if url.startswith("data:"):
        facts.append(f"{len(url):,} characters inside the message")
    elif url:
        facts.append(safe_line(url, 300))
    text = f"{name}  {', '.join(fact for fact in facts if fact)}"
    spans = [Span(0, len(name), "strong"), Span(len(name), len(text), "muted")]
    links = [Link(0, len(name), url)] if url and not url.startswith("data:") else []
    if links:
        spans[0] = Span(0, len(name), "link")
    return Row(text, spans, links, lead=(Lead("▣ ", "muted"),), rest=(Lead("  ", ""),))


class NoticeUnit(Unit):
    """A part of which one line is shown."""

    tone: ClassVar[Tone] = "card"

    def __init__(self, block: Block, number: int, part_index: int, part: Part) -> None:
        super().__init__(block, number, part_index, part)
        self.part = part
        self.open = False
        self._was_open = False
        self._fields: dict[str, object] = {}

    def sync(self) -> int | None:
        fields = self.part.fields
        if self.items and fields == self._fields and self.open == self._was_open:
            return None
        self._fields = dict(fields)
        self._was_open = self.open
        self.items = [Item(self, None, self.base)]
        if self.open:
            for index, detail in enumerate(self._details(), 1):
                self.items.append(Item(self, detail, self.base + index * ITEM_ROWS))
        return 0

    def _details(self) -> Iterator[Detail]:
        """What it shows when it is open: the words of a source, else all there is."""
        if isinstance(self.part, SourcePart):
            return text_details("text", _text(self.part, "excerpt"))
        return text_details("code", pretty(self.part.to_wire()), "json")

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        if isinstance(item.content, Detail):
            return item.content.blocks()
        part = self.part
        if isinstance(part, SourcePart):
            folded = "▾ " if self.open else "▸ "
            return [source_row(part, folded if _text(part, "excerpt") else "↗ ")]
        if isinstance(part, FilePart):
            return [file_row(part)]
        mark = "▾ " if self.open else "▸ "
        kind = "data" if isinstance(part, DataPart) else "a part this version does not know"
        name = safe_line(part.type.removeprefix("data-") or "unnamed", 80)
        said = _DAMAGED if part.type == UNREADABLE else f"{kind}: {name}"
        return [Row(said, base="muted", lead=(Lead(mark, "muted"),), wrap="cut")]

    def estimate(self, item: Item, width: int) -> int:
        return item.content.lines if isinstance(item.content, Detail) else 1

    def source(self) -> str:
        part = self.part
        excerpt = _text(part, "excerpt") if isinstance(part, SourcePart) else ""
        if excerpt:
            return "\n".join(each for each in (_text(part, "title"), _text(part, "url"), "", excerpt))
        return _text(part, "url") or pretty(part.to_wire())

    def opens(self) -> bool:
        if isinstance(self.part, SourcePart):
            return bool(_text(self.part, "excerpt"))
        return not isinstance(self.part, FilePart)

    def toggle(self) -> bool:
        if not self.opens():
            return False
        self.open = not self.open
        return True

    def keep(self, before: Unit) -> None:
        self.open = isinstance(before, NoticeUnit) and before.open

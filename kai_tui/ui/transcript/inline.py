"""Inline markdown tokens into plain text with spans and links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kai_tui.ui.transcript.rows import Link, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markdown_it.token import Token

_ADDRESS = re.compile(r"https?://[^\s<>\"'`|\\^{}\[\]⟨⟩]+", re.IGNORECASE)
_TRAILING = ".,;:!?*_~'\")"
_STYLES = {"em": "em", "strong": "strong", "s": "strike"}


class Inline(NamedTuple):
    """Text of one or more lines (`\\n`), with styles and links."""

    text: str
    spans: list[Span]
    links: list[Link]


def addresses(text: str) -> list[tuple[int, int]]:
    """Where bare web addresses stand in `text`."""
    if "://" not in text:
        return []
    found: list[tuple[int, int]] = []
    for match in _ADDRESS.finditer(text):
        start, end = match.span()
        while end > start and text[end - 1] in _TRAILING:
            # A closing bracket belongs to the address when the address opened it.
            if text[end - 1] == ")" and text.count("(", start, end) >= text.count(")", start, end):
                break
            end -= 1
        if end - start > len("https://"):
            found.append((start, end))
    return found


def image_text(alt: str, address: str) -> str:
    """An image as text: what it shows and where it is. It is never fetched (reliability.md T11)."""
    if address.startswith("data:"):
        kind = address[5:].split(",", 1)[0].split(";", 1)[0] or "data"
        address = f"{kind}, {len(address):,} characters inside the text"
    label = alt or "image"
    return f"▣ {label} ({address})" if address else f"▣ {label}"


def inline(tokens: Sequence[Token], clean: Callable[[str], str] | None = None) -> Inline:
    """Read the children of an `inline` token.

    `clean` filters texts that were decoded from entities after the source was made safe.
    """
    parts: list[str] = []
    spans: list[Span] = []
    links: list[Link] = []
    opened: list[tuple[str, int]] = []
    position = 0
    in_link = 0

    def put(text: str) -> None:
        nonlocal position
        parts.append(text)
        position += len(text)

    for token in tokens:
        kind = token.type
        if kind == "text":
            text = clean(token.content) if clean is not None else token.content
            if not in_link:
                for start, end in addresses(text):
                    links.append(Link(position + start, position + end, text[start:end]))
                    spans.append(Span(position + start, position + end, "link"))
            put(text)
        elif kind in ("softbreak", "hardbreak"):
            # Models break lines on purpose; a terminal shows them where they were set.
            put("\n")
        elif kind == "code_inline":
            spans.append(Span(position, position + len(token.content), "code"))
            put(token.content)
        elif kind == "image":
            alt = inline(token.children or (), clean).text.replace("\n", " ")
            address = str(token.attrs.get("src", ""))
            text = image_text(alt, clean(address) if clean is not None else address)
            spans.append(Span(position, position + len(text), "image"))
            put(text)
        elif kind == "link_open":
            in_link += 1
            opened.append((str(token.attrs.get("href", "")), position))
        elif kind == "link_close":
            in_link -= 1
            href, start = opened.pop()
            if position > start:
                spans.append(Span(start, position, "link"))
                links.append(Link(start, position, href))
        elif kind.endswith("_open"):
            opened.append((_STYLES.get(token.tag, "em"), position))
        elif kind.endswith("_close"):
            style, start = opened.pop()
            if position > start:
                spans.append(Span(start, position, style))
        else:
            put(token.content)
    return Inline("".join(parts), spans, links)


def split_lines(content: Inline) -> list[Inline]:
    """Cut at line ends."""
    if "\n" not in content.text:
        return [content]
    lines: list[Inline] = []
    start = 0
    for line in content.text.split("\n"):
        end = start + len(line)
        lines.append(
            Inline(
                line,
                [
                    Span(max(a, start) - start, min(b, end) - start, style)
                    for a, b, style in content.spans
                    if a < end and b > start
                ],
                [
                    Link(max(a, start) - start, min(b, end) - start, href)
                    for a, b, href in content.links
                    if a < end and b > start
                ],
            )
        )
        start = end + 1
    return lines


def without_start(content: Inline, count: int) -> Inline:
    """Without its first `count` characters."""
    return Inline(
        content.text[count:],
        [Span(max(0, a - count), b - count, style) for a, b, style in content.spans if b > count],
        [Link(max(0, a - count), b - count, href) for a, b, href in content.links if b > count],
    )


def with_marks(marks: str, text: str) -> str | None:
    """A row with its list and quote marks as markdown writes them; None when it has none."""
    if not marks.strip():
        return None
    for shown, written in (("•", "-"), ("◦", "-"), ("▪", "-"), ("▎", ">"), ("☐", "- [ ]"), ("☑", "- [x]")):
        marks = marks.replace(shown, written)
    return marks + text

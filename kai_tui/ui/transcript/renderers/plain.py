"""Long plain text in pieces that are drawn by themselves."""

from __future__ import annotations

from collections.abc import Iterator

LINES = 60
CHARACTERS = 4_000


def pieces(text: str) -> Iterator[str]:
    """Cut `text` at line ends (very long lines also at spaces) into pieces of bounded size.

    The pieces are shown one below the other, so the line ends between them are left out.
    """
    lines: list[str] = []
    size = 0
    for line in text.split("\n"):
        rest = line
        while len(rest) > CHARACTERS:
            if lines:
                yield "\n".join(lines)
                lines, size = [], 0
            cut = rest.rfind(" ", CHARACTERS // 2, CHARACTERS) + 1 or CHARACTERS
            yield rest[:cut]
            rest = rest[cut:]
        lines.append(rest)
        size += len(rest) + 1
        if len(lines) >= LINES or size >= CHARACTERS:
            yield "\n".join(lines)
            lines, size = [], 0
    if lines:
        yield "\n".join(lines)


def estimated_lines(text: str, width: int) -> int:
    """Lines a piece will need, roughly."""
    return 1 + text.count("\n") + len(text) * 3 // (4 * width)

"""Markdown as plain text: what is read, without the signs that make it look so."""

from __future__ import annotations

from kai_tui.ui.transcript.rows import Row, Table
from kai_tui.ui.transcript.splitter import split


def plain_text(source: str) -> str:
    """Prose as it is read: no markup, lists with their marks, cells of tables apart by tabs, code as it is.

    `source` is raw; the result is safe.
    """
    from kai_tui.ui.transcript.markdown import blocks_of, find_references
    from kai_tui.ui.transcript.table_layout import row_of_text

    chunks = split(source)
    references: dict[str, object] = {}
    for chunk in chunks:
        if chunk.kind == "prose":
            find_references(chunk.source, references)
    lines: list[str] = []
    for chunk in chunks:
        if chunk.gap and lines:
            lines.append("")
        for block in blocks_of(chunk, references):
            if isinstance(block, Table):
                lines.extend(row_of_text(row).text for row in block.rows)
            elif not _is_label(block):
                lines.append(block.text if block.copied is None else block.copied)
    return "\n".join(lines).strip("\n")


def _is_label(row: Row) -> bool:
    """Whether a row only names what stands below it (a code block's language)."""
    return row.copied == ""

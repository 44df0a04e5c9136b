"""Shim until kai_tui.conversation.safe_text is there."""

from __future__ import annotations


def safe_line(raw: str, limit: int | None = None) -> str:
    text = "".join(character if character.isprintable() else "\ufffd" for character in raw)
    return text if limit is None else text[:limit]

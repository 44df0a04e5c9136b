"""Broken rules of the protocol, kept for the details view: few and short (reliability.md §3)."""

from __future__ import annotations

import json
from typing import Final

from kai_tui.conversation.messages import Message

MAX_FAULTS: Final = 200
MAX_FAULT_LENGTH: Final = 300
"""Characters; together at most 60 KB of what somebody else wrote."""


def note_fault(message: Message, text: str) -> None:
    """Keep one fault, unless there are too many already."""
    if len(message.faults) < MAX_FAULTS:
        message.faults.append(text if len(text) <= MAX_FAULT_LENGTH else f"{text[: MAX_FAULT_LENGTH - 1]}…")
    elif len(message.faults) == MAX_FAULTS:
        message.faults.append("further faults are not listed")


def note_skipped(message: Message, why: str, raw: object) -> None:
    """Keep a chunk that was left out."""
    if len(message.faults) <= MAX_FAULTS:
        try:
            shown = raw if isinstance(raw, str) else json.dumps(raw, default=str)
        except (ValueError, TypeError, RecursionError):
            shown = "unreadable"
        note_fault(message, f"{why}: {shown}")

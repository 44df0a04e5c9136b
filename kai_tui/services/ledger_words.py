"""The ledger's entries in words, for cards, lists and exports. Raw: names in them are foreign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kai_tui.services.call_rules import your_words


def who_decided(entry: Mapping[str, Any]) -> str:
    """What decided a call, one sentence; the words of its card."""
    if entry.get("by") != "you":
        return str(entry.get("rule", ""))
    return your_words(
        approved=entry.get("decision") == "approved", changed="edits" in entry, granted="grant" in entry
    )

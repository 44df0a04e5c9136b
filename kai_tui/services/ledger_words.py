"""The ledger's entries in words, for cards, lists and exports. Raw: names in them are foreign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def who_decided(entry: Mapping[str, Any]) -> str:
    """Who or what decided a call: `you`, or the rule."""
    by, rule = str(entry.get("by", "")), str(entry.get("rule", ""))
    if by == "you":
        return "you"
    if by == "server":
        return rule or "the server did not ask"
    return f"{by}: {rule}" if rule else by

"""A tool's input while it comes in: read as far as it goes, and only when somebody looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kai_tui.conversation.growing_text import GrowingText
from kai_tui.conversation.partial_json import UNREADABLE, PartialJson


class StreamingInput:
    """The pieces of one input. With `inputEncoding: "text"` it is plain text, else JSON (kai.md §7)."""

    __slots__ = ("_changed", "_text")

    def __init__(self, text: str, *, plain: bool) -> None:
        self._text = GrowingText(text) if plain else PartialJson(text)
        self._changed = False

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> StreamingInput:
        """Go on with what the fields of a tool part already hold."""
        text = fields.get("rawInput")
        return cls(text if isinstance(text, str) else "", plain=fields.get("inputEncoding") == "text")

    def append(self, delta: str) -> None:
        """Add a piece; cheap."""
        self._text.append(delta)
        self._changed = True

    def write_to(self, fields: dict[str, Any]) -> None:
        """Bring `rawInput` and `input` up to date."""
        if not self._changed:
            return
        self._changed = False
        if isinstance(self._text, GrowingText):
            fields["rawInput"] = fields["input"] = self._text.raw
            return
        fields["rawInput"] = self._text.text
        value = self._text.value()
        if value is UNREADABLE:
            fields.pop("input", None)
        else:
            fields["input"] = value

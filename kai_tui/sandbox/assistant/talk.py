"""The conversation as the assistant sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from kai_tui.conversation.quoting import split_quote

JsonObject: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Talk:
    """What was said so far, and what is to be answered."""

    text: str
    """The user's message."""
    before: Sequence[Mapping[str, Any]] = ()
    """Earlier messages (wire objects), oldest first."""

    @property
    def asked(self) -> list[str]:
        """What the user said before, oldest first."""
        return [text_of(message) for message in self.before if message.get("role") == "user"]


def text_of(message: Mapping[str, Any]) -> str:
    """What a wire message says. A quote of an earlier chat in front of it is no part of that: it is context."""
    parts: Any = message.get("parts")
    if not isinstance(parts, list):
        return ""
    texts: list[str] = []
    for part in cast("list[Any]", parts):
        if isinstance(part, dict):
            fields = cast("JsonObject", part)
            if fields.get("type") == "text" and isinstance(fields.get("text"), str):
                texts.append(fields["text"])
    whole = "\n\n".join(texts)
    return split_quote(whole)[1] or whole

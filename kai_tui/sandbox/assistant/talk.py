"""The conversation as the assistant sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

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
    """All text of a wire message."""
    parts: Any = message.get("parts")
    if not isinstance(parts, list):
        return ""
    texts: list[str] = []
    for part in cast("list[Any]", parts):
        if isinstance(part, dict):
            fields = cast("JsonObject", part)
            if fields.get("type") == "text" and isinstance(fields.get("text"), str):
                texts.append(fields["text"])
    return "\n\n".join(texts)

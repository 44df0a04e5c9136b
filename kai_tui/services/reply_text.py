"""A reply as JSON while it is written: what cannot change any more is encoded once.

A checkpoint every quarter of a second must cost the newest part, not the megabytes a tool gave before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kai_tui.conversation.messages import GrowingPart, Message, ToolPart
from kai_tui.storage.text import to_json

if TYPE_CHECKING:
    from kai_tui.conversation.messages import Part

KEPT_FROM = 4_096
"""Characters from which encoding a part again is worth remembering it."""


class ReplyText:
    """Encodes one message again and again; the same as `to_json(message.to_wire())`."""

    def __init__(self) -> None:
        self._message: Message | None = None
        self._over: dict[int, tuple[Part, list[Any], str]] = {}
        """By identity: parts that are over, the values of their fields, and their JSON."""

    def of(self, message: Message) -> str:
        """The whole message. Raises StorageError for what has no JSON."""
        if message is not self._message:
            self._message, self._over = message, {}
        parts = [self._part(part) for part in message.parts]
        head: dict[str, Any] = {"id": message.id, "role": message.role, **message.extra}
        if message.metadata is not None:
            head["metadata"] = message.metadata
        head.pop("parts", None)
        return f'{to_json(head)[:-1]},"parts":[{",".join(parts)}]}}'

    def _part(self, part: Part) -> str:
        # A server may still correct a call that is over: then its fields hold other values.
        values = list(part.fields.values())
        known = self._over.get(id(part))
        if known is not None and known[0] is part and _same(known[1], values):
            return known[2]
        # Whatever it is: a part nobody knows need not be an object.
        text = to_json({"": _wire(part)})[4:-1]
        if len(text) >= KEPT_FROM and _is_over(part):
            self._over[id(part)] = (part, values, text)
        return text


def _same(before: list[Any], now: list[Any]) -> bool:
    return len(before) == len(now) and all(one is other for one, other in zip(before, now, strict=True))


def _wire(part: Part) -> Any:
    """The part as JSON; encoded at once, so what is large need not be copied."""
    return part.fields if isinstance(part, ToolPart) else part.to_wire()


def _is_over(part: Part) -> bool:
    return part.settled if isinstance(part, ToolPart) else isinstance(part, GrowingPart) and part.done

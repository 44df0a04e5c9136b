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
        self._growing: dict[int, _Growing] = {}
        """By identity: texts and thoughts."""

    def of(self, message: Message) -> str:
        """The whole message. Raises StorageError for what has no JSON."""
        if message is not self._message:
            self._message, self._over, self._growing = message, {}, {}
        pieces: list[str] = []
        for number, part in enumerate(message.parts):
            pieces.append("," if number else "")
            self._put(part, pieces)
        head: dict[str, Any] = {"id": message.id, "role": message.role, **message.extra}
        if message.metadata is not None:
            head["metadata"] = message.metadata
        head.pop("parts", None)
        # Joined once: a long reply is megabytes in memory, and this runs where keys are waited for.
        return "".join((to_json(head)[:-1], ',"parts":[', *pieces, "]}"))

    def _put(self, part: Part, pieces: list[str]) -> None:
        if isinstance(part, GrowingPart):
            growing = self._growing.get(id(part))
            if growing is None or growing.part is not part:
                growing = self._growing[id(part)] = _Growing(part)
            growing.put(pieces)
        else:
            pieces.append(self._part(part))

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


class _Growing:
    """A text of which only what was added is encoded: a megabyte anew, four times a second, holds up the screen."""

    __slots__ = ("_encoded", "_length", "part")

    def __init__(self, part: GrowingPart) -> None:
        self.part = part
        self._encoded: list[str] = []
        self._length = 0

    def put(self, pieces: list[str]) -> None:
        """Add the part as JSON, its text last as in `to_wire`. Raises StorageError for what has no JSON."""
        part = self.part
        if len(part) < self._length:
            self._encoded, self._length = [], 0
        if len(part) > self._length:
            self._encoded.append(_escaped(part.since(self._length)))
            self._length = len(part)
        pieces.append(to_json({**part.fields, "": ""})[: -len('"":""}')])
        pieces.append('"text":"')
        pieces += self._encoded
        pieces.append(f'{_escaped(part.waiting)}"}}')


def _escaped(text: str) -> str:
    return to_json({"": text})[len('{"":"') : -len('"}')] if text else ""


def _same(before: list[Any], now: list[Any]) -> bool:
    return len(before) == len(now) and all(one is other for one, other in zip(before, now, strict=True))


def _wire(part: Part) -> Any:
    """The part as JSON; encoded at once, so what is large need not be copied."""
    return part.fields if isinstance(part, ToolPart) else part.to_wire()


def _is_over(part: Part) -> bool:
    return isinstance(part, ToolPart) and part.settled

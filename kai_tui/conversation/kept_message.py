"""Messages of long chats, kept as the JSON text they came in: read when somebody looks, forgotten when nobody does.

10,000 messages as objects need a second to read and 80 MB; as text 10 MB, and only what is near the screen is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, cast

from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import Message, OtherPart, Role, ToolPart

MOST_READ: Final = 300
"""Messages of a chat whose text is kept read, beside those that are held or were changed."""
MOST_BYTES: Final = 4_000_000
"""Bytes of JSON of these; one long answer needs several times as much memory when it is read."""
UNREADABLE: Final = "unreadable-copy"
"""Type of the part that stands for a text that is damaged."""
_ROLES: Final[Mapping[bytes, Role]] = {b"user": "user", b"assistant": "assistant", b"system": "system"}
_HEAD: Final = re.compile(rb'\{"id":"([^"\\]*)","role":"([a-z]+)"[,}]')
_OPEN: Final = (b'"approval-re', b'"input-', b'"streaming"', b'"preliminary"')
"""What is in the text of a message with which something can still happen."""
_CALL_ID: Final = re.compile(rb'"toolCallId":"([^"]*)"')
_write: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def json_of(wire: Mapping[str, Any]) -> bytes:
    """The one form in which a message is kept and compared. Raises ValueError, TypeError or RecursionError."""
    return _write(wire).encode("utf-8", "surrogatepass")


def kept(text: bytes, recent: RecentlyRead) -> Message | None:
    """The message of a JSON text; None for what is no JSON object. One that is not in the form of `json_of`, or with which something can still happen is read at once: others hold on to its parts."""
    head = _HEAD.match(text)
    if head is not None and head[2] in _ROLES and not any(each in text for each in _OPEN):
        return KeptMessage(head[1].decode("utf-8", "surrogatepass"), _ROLES[head[2]], text, recent)
    wire = _read(text)
    return Message.from_wire(wire) if wire is not None else None


def kept_of(wire: JsonObject, recent: RecentlyRead) -> Message:
    """The message of a wire message that was just read; its id and role stand first in what is kept."""
    if isinstance(wire.get("id"), str) and wire.get("role") in ("user", "assistant", "system"):
        others = {key: value for key, value in wire.items() if key not in ("id", "role")}
        with suppress(ValueError, TypeError, RecursionError):
            found = kept(json_of({"id": wire["id"], "role": wire["role"], **others}), recent)
            if found is not None:
                return found
    return Message.from_wire(wire)


class RecentlyRead:
    """Which messages of a chat are read right now; the oldest are forgotten first."""

    __slots__ = ("_bytes", "_messages", "reads")

    def __init__(self) -> None:
        self._messages: dict[KeptMessage, None] = {}
        self._bytes = 0
        self.reads = 0
        """How often a text was read; tests bound it."""

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[KeptMessage]:
        return iter(self._messages)

    def add(self, message: KeptMessage) -> None:
        """This message was read just now."""
        self.reads += 1
        self._messages[message] = None
        self._bytes += message.size
        if len(self._messages) > MOST_READ or self._bytes > MOST_BYTES:
            self._forget(message)

    def _forget(self, newest: KeptMessage) -> None:
        for message in list(self._messages):
            if len(self._messages) <= MOST_READ and self._bytes <= MOST_BYTES:
                return
            if message is newest or message.held:
                continue
            del self._messages[message]
            self._bytes -= message.size
            message.forget()


class KeptMessage(Message):
    """A settled message as its JSON text. Its parts, metadata and further fields are there when they are asked for.

    Whoever shows its parts for a while holds it (`held`): parts that are read anew are other objects.
    """

    __slots__ = ("_calls", "_escapes", "_recent", "_settled", "_text", "held", "is_read")

    def __init__(self, id: str, role: Role, text: bytes, recent: RecentlyRead) -> None:
        # Not the usual way: what is not set is read by `__getattr__`.
        self.id = id
        self.role: Role = role
        self.finish = None
        self.held = 0
        """How many show its parts right now."""
        self.is_read = False
        """Whether its parts are in memory."""
        self._text = text
        # Asked of every message of a chat again and again.
        self._calls = b'"type":"tool-' in text or b'"type":"dynamic-tool"' in text
        self._escapes = b"\\u" in text
        self._recent = recent
        self._settled: Sequence[str] | None = None

    def __getattr__(self, name: str) -> Any:
        if name in ("errors", "faults"):
            nothing: list[str] = []
            setattr(self, name, nothing)
            return nothing
        if name not in ("parts", "metadata", "extra"):
            raise AttributeError(name)
        found = self._readable()
        self.parts, self.metadata, self.extra = found.parts, found.metadata, found.extra
        self.is_read = True
        self._recent.add(self)
        return getattr(self, name)

    def _readable(self) -> Message:
        wire = _read(self._text)
        if wire is None:
            # A damaged file: said in the message's place rather than passed over.
            return Message(parts=[OtherPart({"type": UNREADABLE})])
        return Message.from_wire(wire)

    @property
    def recent(self) -> RecentlyRead:
        """Which messages of its chat are read."""
        return self._recent

    @property
    def size(self) -> int:
        """Bytes of its text: what it will need on the screen can be guessed from it."""
        return len(self._text)

    def forget(self) -> None:
        """Drop what was read, unless somebody changed it meanwhile."""
        if self.is_read and not self._changed():
            del self.parts, self.metadata, self.extra
            self.is_read = False

    def _changed(self) -> bool:
        # Not by the text: parts are written in an order of their own.
        return super().to_wire() != self._readable().to_wire()

    def same_as(self, other: Message) -> bool:
        """Whether both say the same, as far as that can be told without reading them."""
        if not isinstance(other, KeptMessage) or self._text != other._text:
            return False
        return not (self.is_read and self._changed()) and not (other.is_read and other._changed())

    def text_now(self) -> bytes | None:
        """Its JSON in the form of `json_of`; None when it was changed."""
        return None if self.is_read and self._changed() else self._text

    def to_wire(self) -> JsonObject:
        if self.is_read:
            return super().to_wire()
        return self._readable().to_wire()

    def mentions(self, *words: str) -> bool:
        text = self._text
        # A word may be written with escapes, also in JSON inside a string.
        if self.is_read or self._escapes:
            return True
        for word in words:  # noqa: SIM110 - asked 10,000 times in a row: no generator
            if word.encode() in text:
                return True
        return False

    def may_hold(self, looks: Callable[[bytes], bool]) -> bool:
        return self.is_read or looks(self._text)

    def calls_any(self, call_ids: Container[str]) -> bool:
        if self.is_read or not self.may_call():
            return self.is_read and super().calls_any(call_ids)
        if "" in call_ids:
            return super().calls_any(call_ids)  # a call may have no id, or none that is a text
        found = _CALL_ID.findall(self._text)
        if any(b"\\" not in each and each.decode("utf-8", "replace") in call_ids for each in found):
            return super().calls_any(call_ids)
        return any(b"\\" in each for each in found) and super().calls_any(call_ids)

    def settled_calls(self) -> Sequence[str]:
        if self.is_read:
            return super().settled_calls()
        if not self.may_call():
            return ()
        if self._settled is None:
            self._settled = tuple(self._readable().settled_calls())
        return self._settled

    def tool_calls(self) -> list[ToolPart]:
        return super().tool_calls() if self.may_call() else []

    def may_call(self) -> bool:
        return self.is_read or self._calls


def _read(text: bytes) -> JsonObject | None:
    try:
        value: object = json.loads(text.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None

"""Tokens of a chat, added up from what its streams and its stored messages say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast

from kai_tui.conversation.chunks import usage_of
from kai_tui.conversation.messages import DataPart

if TYPE_CHECKING:
    from kai_tui.conversation.events import Usage
    from kai_tui.conversation.messages import Message

_MOST = 2**53


@dataclass(frozen=True, slots=True)
class Tokens:
    """Counts as servers name them (kai.md §10). Whether `input` holds the cached ones is the server's affair."""

    input: int = 0
    output: int = 0
    total: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    @classmethod
    def of(cls, usage: Usage) -> Tokens:
        """Of one report; a missing total is input and output."""
        taken, made = usage.input or 0, usage.output or 0
        total = usage.total if usage.total is not None else taken + made
        return cls(taken, made, total, usage.cache_read or 0, usage.cache_write or 0, usage.reasoning or 0)

    @classmethod
    def noted(cls, note: Any) -> Tokens:
        """What `to_note` gave; zero for anything else."""
        if not isinstance(note, dict):
            return cls()
        counts = cast("dict[str, Any]", note)
        return cls(*(_count_in(counts.get(field.name)) for field in fields(cls)))

    def to_note(self) -> dict[str, int]:
        """As JSON."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    def at_least(self, other: Tokens) -> Tokens:
        """The larger of each count."""
        return Tokens(*(max(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)))


class StreamTokens:
    """Tokens of one stream.

    A stream can say the same tokens up to three times: in `data-usage` chunks, of which there may be
    several, to be added up; in `finish-step`, of its step; in `finish`, of the whole answer (kai.md §10;
    fixtures kai-legacy/legacy-usage and legacy-tool-read). So each of the three is added up by itself, and
    the largest counts: nothing is counted twice, and what only one of them says is not lost. A
    `data-usage` chunk that comes again with its id replaces the earlier one, as data parts do (kai.md §6).
    """

    __slots__ = ("_by_source", "_named")

    def __init__(self) -> None:
        self._by_source: dict[str, Tokens] = {}
        self._named: dict[str, Tokens] = {}

    def note(self, usage: Usage) -> None:
        """A report came."""
        tokens = Tokens.of(usage)
        if usage.id is not None:
            self._named[usage.id] = tokens
        else:
            self._by_source[usage.source] = self._by_source.get(usage.source, Tokens()) + tokens

    @property
    def tokens(self) -> Tokens:
        """So far."""
        most = sum(self._named.values(), self._by_source.get("data", Tokens()))
        for source, tokens in self._by_source.items():
            if source != "data":
                most = most.at_least(tokens)
        return most


def tokens_in(messages: Iterable[Message]) -> Tokens:
    """What the `data-usage` parts of stored messages add up to."""
    found = Tokens()
    for message in messages:
        for part in message.parts if message.mentions("data-usage") else ():
            if isinstance(part, DataPart) and part.type == "data-usage":
                data = part.fields.get("data")
                usage = usage_of(cast("Mapping[str, Any]", data)) if isinstance(data, dict) else None
                if usage is not None:
                    found += Tokens.of(usage)
    return found


def _count_in(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST:
        return value
    return 0

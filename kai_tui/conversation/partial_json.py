"""JSON that is still being written: what can be read of it so far (protocols/kai.md §7).

The longest beginning that ends after something complete is kept and closed. The rules, oddities
included, are those of the AI SDK's `fix-json.ts`; `fixtures/ai-sdk/partial-json.json` has its answers.
Each character is looked at once, however often the value is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, Final

from kai_tui.conversation.growing_text import GrowingText
from kai_tui.conversation.json_text import BadJson, decode_json

UNREADABLE: Final = object()
"""What `PartialJson.value` returns when nothing can be read yet. Not None: null is a value."""

_ROOT: Final = "root"
_DONE: Final = "done"
_STRING: Final = "string"
_ESCAPE: Final = "escape"
_UNICODE: Final = "unicode escape"
_LITERAL: Final = "literal"
_NUMBER: Final = "number"
_OBJECT_START: Final = "object start"
_KEY: Final = "key"
_AFTER_KEY: Final = "after key"
_BEFORE_VALUE: Final = "before value"
_OBJECT_VALUE: Final = "after value in object"
_OBJECT_COMMA: Final = "after comma in object"
_ARRAY_START: Final = "array start"
_ARRAY_VALUE: Final = "after value in array"
_ARRAY_COMMA: Final = "after comma in array"

_CLOSERS: Final = {
    _STRING: '"',
    **dict.fromkeys((_OBJECT_START, _KEY, _AFTER_KEY, _BEFORE_VALUE, _OBJECT_VALUE, _OBJECT_COMMA), "}"),
    **dict.fromkeys((_ARRAY_START, _ARRAY_VALUE, _ARRAY_COMMA), "]"),
}
_LITERALS: Final = ("true", "false", "null")
_DIGITS: Final = frozenset("0123456789")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_STRING_RUN: Final = re.compile(r'[^"\\]+')
_KEY_RUN: Final = re.compile(r'[^"]+')


class PartialJson:
    """A JSON text that grows."""

    __slots__ = ("_begun", "_hex_digits", "_keep", "_seen", "_stack", "_text")

    def __init__(self, text: str = "") -> None:
        self._text = GrowingText(text)
        self._stack = [_ROOT]
        self._seen = 0
        """Characters the scanner has gone over."""
        self._keep = 0
        """Where the part worth keeping ends."""
        self._begun = ""
        """The letters of an unfinished literal."""
        self._hex_digits = 0

    def append(self, delta: str) -> None:
        """Add a piece; cheap."""
        self._text.append(delta)

    @property
    def text(self) -> str:
        """Everything so far."""
        return self._text.raw

    def value(self) -> Any:
        """What can be read so far, UNREADABLE when nothing can."""
        for text in (self.text, self._repaired()):
            try:
                return decode_json(text)
            except BadJson:
                continue
        return UNREADABLE

    def _repaired(self) -> str:
        text = self._text.text
        self._scan(text)
        pieces = [text[: self._keep]]
        if self._stack[-1] is _STRING:
            pieces.append(self.text[len(text) :])  # half a surrogate pair, waiting
        for state in reversed(self._stack):
            if state is _LITERAL:
                word = next(word for word in _LITERALS if word.startswith(self._begun))
                pieces.append(word[len(self._begun) :])
            else:
                pieces.append(_CLOSERS.get(state, ""))
        return "".join(pieces)

    def _scan(self, text: str) -> None:
        at, size, stack = self._seen, len(text), self._stack
        while at < size:
            state = stack[-1]
            if state is _DONE:
                break
            if state is _STRING and (run := _STRING_RUN.match(text, at)):
                at = self._keep = run.end()
            elif state is _KEY and (run := _KEY_RUN.match(text, at)):
                at = run.end()
            else:
                self._STEPS[state](self, text[at], at)
                at += 1
        self._seen = size

    def _go(self, state: str) -> None:
        self._stack[-1] = state

    def _end(self, at: int) -> None:
        """The last character of something complete."""
        self._keep = at + 1
        self._stack.pop()

    def _begin(self, char: str, at: int, then: str) -> None:
        """The first character of a value; `then` is the state after the value."""
        if char == '"':
            inside = _STRING
        elif char in "tfn":
            inside, self._begun = _LITERAL, char
        elif char == "-" or char in _DIGITS:
            inside = _NUMBER
        elif char == "{":
            inside = _OBJECT_START
        elif char == "[":
            inside = _ARRAY_START
        else:
            return
        if char != "-":
            self._keep = at + 1
        self._go(then)
        self._stack.append(inside)

    def _at_root(self, char: str, at: int) -> None:
        self._begin(char, at, _DONE)

    def _in_string(self, char: str, at: int) -> None:
        if char == '"':
            self._end(at)
        else:
            self._stack.append(_ESCAPE)

    def _in_escape(self, char: str, at: int) -> None:
        if char == "u":
            self._hex_digits = 0
            self._go(_UNICODE)
        else:
            self._end(at)

    def _in_unicode(self, char: str, at: int) -> None:
        if char in _HEX:
            self._hex_digits += 1
            if self._hex_digits == 4:
                self._end(at)

    def _in_number(self, char: str, at: int) -> None:
        if char in _DIGITS:
            self._keep = at + 1
        elif char not in "eE-.":
            self._hand_on(char, at)

    def _in_literal(self, char: str, at: int) -> None:
        begun = self._begun + char
        if any(word.startswith(begun) for word in _LITERALS):
            self._begun = begun
            self._keep = at + 1
        else:
            self._hand_on(char, at)

    def _hand_on(self, char: str, at: int) -> None:
        """The character that ended a number or literal belongs to what is around it."""
        self._stack.pop()
        state = self._stack[-1]
        if state is _OBJECT_VALUE:
            self._after_object_value(char, at)
        elif state is _ARRAY_VALUE and char in ",]":
            self._after_array_value(char, at)

    def _at_object_start(self, char: str, at: int) -> None:
        if char == '"':
            self._go(_KEY)
        elif char == "}":
            self._end(at)

    def _at_key_end(self, _char: str, _at: int) -> None:
        self._go(_AFTER_KEY)

    def _after_key(self, char: str, _at: int) -> None:
        if char == ":":
            self._go(_BEFORE_VALUE)

    def _before_value(self, char: str, at: int) -> None:
        self._begin(char, at, _OBJECT_VALUE)

    def _after_object_value(self, char: str, at: int) -> None:
        if char == ",":
            self._go(_OBJECT_COMMA)
        elif char == "}":
            self._end(at)

    def _after_object_comma(self, char: str, _at: int) -> None:
        if char == '"':
            self._go(_KEY)

    def _at_array_start(self, char: str, at: int) -> None:
        if char == "]":
            self._end(at)
        else:
            self._keep = at + 1
            self._begin(char, at, _ARRAY_VALUE)

    def _after_array_value(self, char: str, at: int) -> None:
        if char == ",":
            self._go(_ARRAY_COMMA)
        elif char == "]":
            self._end(at)
        else:
            self._keep = at + 1

    def _after_array_comma(self, char: str, at: int) -> None:
        self._begin(char, at, _ARRAY_VALUE)

    _STEPS: ClassVar[dict[str, Callable[[PartialJson, str, int], None]]] = {
        _ROOT: _at_root,
        _STRING: _in_string,
        _ESCAPE: _in_escape,
        _UNICODE: _in_unicode,
        _NUMBER: _in_number,
        _LITERAL: _in_literal,
        _OBJECT_START: _at_object_start,
        _KEY: _at_key_end,
        _AFTER_KEY: _after_key,
        _BEFORE_VALUE: _before_value,
        _OBJECT_VALUE: _after_object_value,
        _OBJECT_COMMA: _after_object_comma,
        _ARRAY_START: _at_array_start,
        _ARRAY_VALUE: _after_array_value,
        _ARRAY_COMMA: _after_array_comma,
    }


def read_partial_json(text: str) -> Any:
    """What can be read of an unfinished JSON text, UNREADABLE when nothing can."""
    return PartialJson(text).value()

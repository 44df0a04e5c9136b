"""A long JSON object read row by row: never as a whole in memory, and never for long without a pause.

Reading 8 MB at once holds everything else up for 100 ms, in a thread too, and needs 60 MB for a moment.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any, Final

from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.json_text import BadJson, decode_value, too_deep

_WINDOW: Final = 256 * 1024
"""Bytes that are text at a time, unless a value is longer."""
_PAUSE: Final = 32 * 1024
"""Characters after which others get a turn: about a millisecond."""
_BLANK: Final = " \t\n\r"
_NUMBER: Final = frozenset(("", *"0123456789.eE+-"))


def read_rows(
    content: bytes, rows: str, take: Callable[[Any], object], pause: Callable[[], object]
) -> JsonObject:
    """The object without its member `rows`, whose elements go to `take` one by one; `pause` is called now and then.

    Raises BadJson for everything but an object in which `rows` comes once, as an array. What was taken by then is
    to be thrown away.
    """
    window = _Window(content)
    found: JsonObject = {}
    taken = False
    window.expect("{")
    if window.goes_on("}", first=True):
        while True:
            name = window.value()
            window.expect(":")
            if not isinstance(name, str):
                raise BadJson("a name that is no text")
            if name == rows:
                if taken:
                    raise BadJson(f"{rows} comes twice")
                taken = True
                _take_array(window, take, pause)
            else:
                found[name] = window.value()
            if not window.goes_on("}"):
                break
    if not window.at_end():
        raise BadJson("not JSON: something follows the value")
    return found


def _take_array(window: _Window, take: Callable[[Any], object], pause: Callable[[], object]) -> None:
    window.expect("[")
    if not window.goes_on("]", first=True):
        return
    since = 0
    while True:
        before = window.read
        take(window.value())
        since += window.read - before
        if since >= _PAUSE:
            since = 0
            pause()
        if not window.goes_on("]"):
            return


class _Window:
    """The part of a text that is looked at."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._next = 0
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._place = 0
        self.read = 0
        """Characters read so far."""

    def _more(self) -> bool:
        if self._next >= len(self._content):
            return False
        rest = self._text[self._place :]
        stop = self._next + max(_WINDOW, len(rest))
        try:
            piece = self._decoder.decode(self._content[self._next : stop], stop >= len(self._content))
        except UnicodeDecodeError as error:
            raise BadJson(f"not UTF-8: {error.reason}") from None
        self._text, self._place, self._next = rest + piece, 0, stop
        return True

    def _character(self) -> str:
        """The next one that is not blank, without passing it; empty at the end."""
        while True:
            text, place = self._text, self._place
            while place < len(text):
                if text[place] not in _BLANK:
                    self._place = place
                    return text[place]
                place += 1
            self._place = place
            if not self._more():
                return ""

    def at_end(self) -> bool:
        return not self._character()

    def expect(self, character: str) -> None:
        if self._character() != character:
            raise BadJson(f"not JSON: no {character}")
        self._place += 1

    def goes_on(self, closing: str, *, first: bool = False) -> bool:
        """Whether another element follows; passes the comma, or what closes."""
        found = self._character()
        if found == closing:
            self._place += 1
            return False
        if not first:
            self.expect(",")
        return True

    def value(self) -> Any:
        """The value that begins here."""
        self._character()
        while True:
            try:
                value, end = decode_value(self._text, self._place)
            except BadJson:
                raise
            except (ValueError, RecursionError) as error:
                if isinstance(error, RecursionError) or not self._more():
                    raise BadJson(f"not JSON: {error}") from None
                continue
            if self._text[end : end + 1] in _NUMBER and self._more():
                continue  # a number may go on
            if too_deep(self._text, value, self._place, end):
                raise BadJson("nested too deeply")
            self.read += end - self._place
            self._place = end
            return value

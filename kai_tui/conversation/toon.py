"""Reading TOON, the compact indented text in which the MCP server's listing tools answer (keboola-tools.md §3).

    tables[1]:
      - id: in.c-crm.customers
        columns[2]{name,description}:
          id,""
          name,"First, last"

Written for reading what is there, not for judging it: what is not understood makes the whole text unreadable, and
then nobody claims to know what it says. The format: github.com/toon-format/spec.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.json_text import BadJson, decode_json

MAX_DEPTH: Final = 40
_KEY: Final = r'(?P<key>"(?:[^"\\]|\\.)*"|[^\s":\[\]{},|-][^":\[\]{},|]*)'
_ARRAY: Final = re.compile(
    rf"(?:{_KEY})?\[#?(?P<count>\d{{1,6}})(?P<delimiter>[|\t]?)\](?:\{{(?P<fields>.*)\}})?:(?P<rest>.*)",
    re.DOTALL,
)
_FIELD: Final = re.compile(rf"{_KEY}:(?P<rest>.*)", re.DOTALL)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,15})(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


class NotToon(ValueError):
    """The text is something else, or says something this does not understand."""


class _Lines:
    """Lines with their depth in spaces, one after the other."""

    def __init__(self, text: str) -> None:
        rows = [line.rstrip("\r") for line in text.split("\n")]
        self._rows = [(len(row) - len(row.lstrip(" ")), row.lstrip(" ")) for row in rows if row.strip()]
        self._at = 0

    def peek(self) -> tuple[int, str] | None:
        return self._rows[self._at] if self._at < len(self._rows) else None

    def next(self, least: int) -> tuple[int, str]:
        """The next line, which has to be at least this deep."""
        row = self.peek()
        if row is None or row[0] < least:
            raise NotToon("a line is missing")
        self._at += 1
        return row

    def replace(self, indent: int, text: str) -> None:
        """Put a rest of the line that was read back, as a line of its own."""
        self._at -= 1
        self._rows[self._at] = (indent, text)


def decode_toon(text: str) -> JsonObject | list[Any]:
    """The object or the list a text describes. Raises NotToon."""
    lines = _Lines(text)
    first = lines.peek()
    if first is None or first[0] != 0:
        raise NotToon("nothing there")
    array = _ARRAY.fullmatch(first[1])
    if array is not None and array["key"] is None:
        lines.next(0)
        value: JsonObject | list[Any] = _array(array, lines, 0, 0)
    else:
        value = _object(lines, 0, 0)
    if lines.peek() is not None:
        raise NotToon("something follows")
    return value


def _object(lines: _Lines, indent: int, depth: int) -> JsonObject:
    """The fields that stand at exactly this indent."""
    if depth > MAX_DEPTH:
        raise NotToon("nested too deeply")
    found: JsonObject = {}
    while (row := lines.peek()) is not None and row[0] >= indent:
        if row[0] != indent:
            raise NotToon("a line is too deep")
        lines.next(indent)
        key, value = _field(row[1], lines, indent, depth)
        if key in found:
            raise NotToon("a name comes twice")
        found[key] = value
    return found


def _field(text: str, lines: _Lines, indent: int, depth: int) -> tuple[str, Any]:
    array = _ARRAY.fullmatch(text)
    if array is not None and array["key"] is not None:
        return _key(array["key"]), _array(array, lines, indent, depth)
    field = _FIELD.fullmatch(text)
    if field is None:
        raise NotToon("a line is no field")
    rest = field["rest"]
    if rest.strip():
        return _key(field["key"]), _value(rest.strip())
    row = lines.peek()
    inner = _object(lines, row[0], depth + 1) if row is not None and row[0] > indent else {}
    return _key(field["key"]), inner


def _array(head: re.Match[str], lines: _Lines, indent: int, depth: int) -> list[Any]:
    if depth > MAX_DEPTH:
        raise NotToon("nested too deeply")
    count, delimiter = int(head["count"]), head["delimiter"] or ","
    rest = head["rest"].strip()
    if head["fields"] is not None:
        if rest:
            raise NotToon("values beside the names of fields")
        names = [_key(name) for name in _cells(head["fields"], delimiter)]
        rows = [_cells(lines.next(indent + 1)[1], delimiter) for _ in range(count)]
        if any(len(row) != len(names) for row in rows) or len(set(names)) != len(names):
            raise NotToon("a row does not fit")
        return [dict(zip(names, map(_value, row), strict=True)) for row in rows]
    if rest:
        values = [_value(cell) for cell in _cells(rest, delimiter)]
        if len(values) != count:
            raise NotToon("the count does not fit")
        return values
    return [_item(lines, indent, depth) for _ in range(count)]


def _item(lines: _Lines, indent: int, depth: int) -> Any:
    at, text = lines.next(indent + 1)
    if text == "-":
        return {}
    if not text.startswith("- "):
        raise NotToon("a line is no item")
    inner = text[2:].strip(" ")
    array = _ARRAY.fullmatch(inner)
    if array is not None and array["key"] is None:
        return _array(array, lines, at, depth + 1)
    if array is None and (_FIELD.fullmatch(inner) is None or _QUOTED.fullmatch(inner)):
        return _value(inner)
    if array is not None:
        # Older writers put its rows where the other fields are, newer ones a step deeper.
        first = {_key(array["key"]): _array(array, lines, at, depth + 1)}
        row = lines.peek()
        others = _object(lines, at + 2, depth + 1) if row is not None and row[0] > at else {}
        return first | others
    # Its other fields stand below the first one.
    lines.replace(at + 2, inner)
    return _object(lines, at + 2, depth + 1)


def _cells(text: str, delimiter: str) -> Sequence[str]:
    """A row cut at the delimiters outside of quotes."""
    cells: list[str] = []
    start = at = 0
    while at < len(text):
        if text[at] == '"':
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                raise NotToon("a quote does not end")
            at = quoted.end()
        elif text[at] == delimiter:
            cells.append(text[start:at].strip())
            start = at = at + 1
        else:
            at += 1
    cells.append(text[start:].strip())
    return cells


def _key(text: str) -> str:
    value = _value(text) if text.startswith('"') else text
    if not isinstance(value, str) or (any(sign in text for sign in "{}") and not text.startswith('"')):
        raise NotToon("no name")
    return value


def _value(text: str) -> Any:
    if text.startswith('"'):
        try:
            value = decode_json(text)
        except BadJson:
            raise NotToon("a quote that cannot be read") from None
        return value
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    if _NUMBER.fullmatch(text):
        return float(text) if any(sign in text for sign in ".eE") else int(text)
    return text

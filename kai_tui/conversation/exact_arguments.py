"""The arguments of a call, whole and exact, as an approval shows them (A4, D8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from kai_tui.conversation.exact_text import GUTTER, Exact, exact_string, safe_exact
from kai_tui.conversation.json_text import BIGGEST_EXACT_INT
from kai_tui.conversation.prose_text import Safe

_INDENT: Final = "  "
_LEVELS_INDENTED: Final = 8
_DEEPEST: Final = 250
_SHORT_LIST: Final = 60


@dataclass(frozen=True, slots=True)
class ExactArgument:
    """One argument by name."""

    key: Exact
    size: Safe
    """Kind and size in words: `5,000,009 characters`, `3 items`, `number`."""
    value: Exact


def exact_arguments(arguments: object) -> list[ExactArgument]:
    """Every argument of a call's input, in its order. Empty for no arguments and for what is no object.

    An input that is no object has no names to show: show it whole with `exact_value`, and do not
    let it be approved. Duplicate names can be seen only while the JSON text is read: read it with
    `Pairs` to have all of them shown.
    """
    if isinstance(arguments, Mapping):
        pairs = list(cast("Mapping[object, object]", arguments).items())
    elif isinstance(arguments, Pairs):
        pairs = list[tuple[object, object]](arguments)
    else:
        return []
    return [
        ExactArgument(_exact_name(_name(key)), size_words(value), exact_value(value)) for key, value in pairs
    ]


class Pairs(tuple[tuple[str, Any], ...]):
    """An object's names and values with duplicates: `json.loads(text, object_pairs_hook=Pairs)`."""

    __slots__ = ()

    @property
    def duplicates(self) -> list[str]:
        """Names that come more than once."""
        names = [name for name, _ in self]
        return sorted({name for name in names if names.count(name) > 1})


def exact_value(value: object) -> Exact:
    """A JSON value in full: strings escaped and quoted, line by line; numbers as Python read them.

    Nothing is cut. Whole numbers beyond 2^53 are flagged. Never raises.
    """
    writer = _Writer()
    writer.write(value, 0)
    return writer.exact()


def size_words(value: object) -> Safe:
    """Kind and size of a value, in words."""
    if isinstance(value, str):
        lines = value.count("\n") + 1
        words = _count(len(value), "character")
        return Safe(f"{words}, {_count(lines, 'line')}" if lines > 1 else words)
    if isinstance(value, Mapping | Pairs):
        return Safe(_count(len(cast("Sequence[object]", value)), "key"))
    if isinstance(value, list | tuple):
        return Safe(_count(len(cast("Sequence[object]", value)), "item"))
    if isinstance(value, bool):
        return Safe("true or false")
    return Safe("null" if value is None else "number" if isinstance(value, int | float) else "unknown")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _exact_name(name: str) -> Exact:
    """A name as it is; in quotes when its ends could not be seen."""
    return safe_exact(name, one_line=True) if name and name == name.strip() else exact_string(name)


def _name(key: object) -> str:
    return key if isinstance(key, str) else str(key)


class _Writer:
    """Writes a value as indented JSON and gathers what was noticed on the way."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._hidden = 0
        self._flags: dict[Safe, None] = {}
        self._notes: dict[Safe, None] = {}

    def exact(self) -> Exact:
        return Exact(Safe("".join(self._out)), self._hidden, tuple(self._flags), tuple(self._notes))

    def write(self, value: object, level: int) -> None:
        if level > _DEEPEST:
            self._flag(f"nested deeper than {_DEEPEST} levels: the rest is not shown")
            self._hidden += 1
            self._out.append("⟨nested too deeply⟩")
        elif isinstance(value, str):
            self._string(value, level)
        elif isinstance(value, Mapping):
            self._object(list(cast("Mapping[object, object]", value).items()), level)
        elif isinstance(value, Pairs):
            self._object(list(value), level)
            for name in value.duplicates:
                self._flag(f"{exact_string(name).text} comes more than once")
        elif isinstance(value, list | tuple):
            self._list(list(cast("Sequence[object]", value)), level)
        else:
            self._out.append(self._plain(value))

    def _string(self, text: str, level: int) -> None:
        shown = exact_string(text)
        self._notice(shown)
        lines = shown.text
        if level and "\n" in lines:
            lines = lines.replace(f"\n{GUTTER}", f"\n{_indent(level)}{GUTTER}")
        self._out.append(lines)

    def _object(self, pairs: list[tuple[Any, Any]], level: int) -> None:
        if not pairs:
            self._out.append("{}")
            return
        self._out.append("{")
        for number, (key, value) in enumerate(pairs):
            self._out.append(f"{',' if number else ''}\n{_indent(level + 1)}")
            self._string(_name(key), level + 1)
            self._out.append(": ")
            self.write(value, level + 1)
        self._out.append(f"\n{_indent(level)}}}")

    def _list(self, items: list[object], level: int) -> None:
        plain = not any(isinstance(item, str | Mapping | list | tuple) for item in items)
        start = len(self._out)
        self._out.append("[")
        for number, item in enumerate(items):
            self._out.append(("," if number else "") + ("\x00" if plain else f"\n{_indent(level + 1)}"))
            self.write(item, level + 1)
        if items and not plain:
            self._out.append(f"\n{_indent(level)}")
        self._out.append("]")
        if plain:
            joined = "".join(self._out[start:])
            one_line = joined.replace(",\x00", ", ").replace("\x00", "")
            self._out[start:] = [
                one_line
                if len(one_line) <= _SHORT_LIST
                else joined.replace("\x00", f"\n{_indent(level + 1)}")[:-1] + f"\n{_indent(level)}]"
            ]

    def _plain(self, value: object) -> str:
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return self._integer(value)
        if isinstance(value, float):
            if value != value or value in (float("inf"), float("-inf")):
                self._flag(f"{value} is not a number JSON knows")
            return repr(value)
        self._flag("a value that is not JSON")
        shown = safe_exact(f"{type(value).__name__} {value!r}", one_line=True)
        self._notice(shown)
        return shown.text

    def _integer(self, value: int) -> str:
        try:
            text = str(value)
        except ValueError:
            text = hex(value)
        if abs(value) > BIGGEST_EXACT_INT:
            short = text if len(text) <= 40 else f"{text[:20]}…{text[-18:]}"
            self._flag(f"{short} is beyond 2^53: some systems read another number")
        return text

    def _notice(self, shown: Exact) -> None:
        self._hidden += shown.hidden
        self._flags.update(dict.fromkeys(shown.flags))
        self._notes.update(dict.fromkeys(shown.notes))

    def _flag(self, words: str) -> None:
        self._flags[Safe(words)] = None


def _indent(level: int) -> str:
    """Two spaces a level; deep values stay on the screen and say how deep they are."""
    if level <= _LEVELS_INDENTED:
        return _INDENT * level
    return f"{_INDENT * _LEVELS_INDENTED}⟨level {level}⟩ "

"""A call's input as a person edits it: its values one by one, or all of it as JSON.

What comes out is checked so that what the person sees, what is sent and what the server reads is the same: text that
could hide something is edited as JSON with escapes, and what two readers may read differently is refused.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from kai_tui.conversation.exact_text import is_ordinary
from kai_tui.conversation.json_text import BIGGEST_EXACT_INT, MAX_DEPTH, BadJson, copy_json, decode_typed

Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands: names of objects, numbers in lists."""

Kind: TypeAlias = Literal["text", "escaped text", "number", "yes or no", "JSON"]
"""How a value is edited. `escaped text`: a text with characters that could not be seen, as JSON between quotes."""

LONGEST_INPUT: Final = 500_000
"""Characters of JSON that are sent as a changed input."""
MOST_FIELDS: Final = 2_000
"""More values than that are edited per argument, as JSON."""
_DEEPEST: Final = 12
"""Values further inside are edited as JSON."""

_NAME: Final = re.compile(r"[^\W\d][\w-]*\Z")


class NotSendable(ValueError):
    """An input that is not sent; its text is the sentence to show, which may hold foreign text, raw."""


@dataclass(frozen=True, slots=True)
class InputField:
    """One value of an input."""

    path: Path
    kind: Kind
    value: Any

    @property
    def name(self) -> str:
        """Where it stands, in words. Raw."""
        return path_words(self.path)

    @property
    def secret(self) -> bool:
        """Whether it is not shown unless asked for."""
        return is_secret(self.path, self.value)


def path_words(path: Path) -> str:
    """`updates[0].description`. Names that could be read as something else stand in quotes."""
    words = ""
    for step in path:
        if isinstance(step, int):
            words += f"[{step}]"
        elif _NAME.match(step) or (step[:1] == "#" and _NAME.match(step[1:])):
            words += f".{step}" if words else step
        else:
            words += f"[{escaped(json.dumps(step, ensure_ascii=False))}]"
    return words


def is_secret(path: Path, value: Any) -> bool:
    """Whether a value is a secret in clear: of a `#key`, and not encrypted (keboola-tools.md §2)."""
    named = any(isinstance(step, str) and step.startswith("#") for step in path)
    return named and not (isinstance(value, str) and (not value or value.startswith("KBC::")))


def fields(value: Mapping[str, Any]) -> list[InputField]:
    """The values of an input that can be edited one by one, in their order."""
    found: list[InputField] = []
    for field in _fields((), value, _DEEPEST):
        found.append(field)
        if len(found) > MOST_FIELDS:
            return [_field((name,), item) for name, item in value.items()]
    return found


def field_text(field: InputField) -> str:
    """What stands in the editor for a value: `read_field` makes the same value of it."""
    if field.kind == "text":
        return cast(str, field.value)
    if field.kind == "yes or no":
        return "true" if field.value else "false"
    return json_to_edit(field.value)


def read_field(field: InputField, text: str) -> Any:
    """The value an edited text stands for, of the same kind as before. Raises NotSendable."""
    if field.kind == "text":
        _check_text(text)
        return text
    try:
        value = decode_typed(text)
    except BadJson as error:
        raise NotSendable(_sentence(error)) from None
    if field.kind == "escaped text" and not isinstance(value, str):
        raise NotSendable("This is a text: it stands between quotes, as in JSON.")
    if field.kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise NotSendable("This is a number, and what stands here is none.")
    if field.kind == "yes or no" and not isinstance(value, bool):
        raise NotSendable("This is true or false, and nothing else.")
    check(value)
    return value


def replaced(value: Any, path: Path, new: Any) -> Any:
    """A copy with another value at a place that exists."""
    if not path:
        return copy_json(new)
    copied = copy_json(value)
    inside = copied
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = copy_json(new)
    return copied


def json_to_edit(value: Any) -> str:
    """A value as JSON over several lines, with everything written out that could not be seen."""
    return escaped(json.dumps(value, ensure_ascii=False, indent=2))


def one_line(value: Any) -> str:
    """A value as JSON on one line, with everything written out that could not be seen."""
    return escaped(json.dumps(value, ensure_ascii=False))


def read_input(text: str) -> dict[str, Any]:
    """A whole input that was typed as JSON. Raises NotSendable."""
    if not text.strip():
        raise NotSendable("Nothing stands here. No arguments at all are {}.")
    if len(text) > LONGEST_INPUT:
        raise NotSendable(_too_long(len(text)))
    try:
        value = decode_typed(text)
    except BadJson as error:
        raise NotSendable(_sentence(error)) from None
    if not isinstance(value, dict):
        raise NotSendable("An input is names and values between { and }.")
    check(value)
    return cast("dict[str, Any]", value)


def check(value: Any) -> None:
    """Whether a value can be sent so that everybody reads the same. Raises NotSendable."""
    for path, item in _walk((), value):
        if isinstance(item, str):
            _check_text(item, path)
        elif isinstance(item, float) and (item != item or item in (float("inf"), float("-inf"))):
            raise NotSendable(f"{path_words(path)} is no number JSON knows, so the input cannot be sent.")
        elif isinstance(item, int) and abs(item) > BIGGEST_EXACT_INT:
            where = path_words(path) or "The number"
            raise NotSendable(
                f"{where} is a whole number beyond 2^53: the server may read another one, so it is not sent."
            )
    length = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    if length > LONGEST_INPUT:
        raise NotSendable(_too_long(length))


def _fields(path: Path, value: Any, depth: int) -> Iterator[InputField]:
    if isinstance(value, Mapping) and value and depth:
        for name, item in cast("Mapping[str, Any]", value).items():
            yield from _fields((*path, name), item, depth - 1)
    elif isinstance(value, list) and depth and any(map(_has_inside, cast("list[Any]", value))):
        for number, item in enumerate(cast("list[Any]", value)):
            yield from _fields((*path, number), item, depth - 1)
    elif path:
        yield _field(path, value)


def _has_inside(value: Any) -> bool:
    """Whether a list with this in it is edited item by item: short texts and numbers are easier as one."""
    return isinstance(value, Mapping | list) or (isinstance(value, str) and "\n" in value)


def _field(path: Path, value: Any) -> InputField:
    if isinstance(value, str):
        return InputField(path, "text" if _can_be_seen(value) else "escaped text", value)
    if isinstance(value, bool):
        return InputField(path, "yes or no", value)
    return InputField(path, "number" if isinstance(value, int | float) else "JSON", value)


def _can_be_seen(text: str) -> bool:
    return text.replace("\n", "").replace("\t", "") == escaped(text.replace("\n", "").replace("\t", ""))


def escaped(text: str) -> str:
    """JSON text in which what could not be seen is written as `\\u…`."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    out: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if character == "\n" or (is_ordinary(character) and marks <= 2):
            out.append(character)
        else:
            units = character.encode("utf-16-be", "surrogatepass")
            out += [f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)]
    return "".join(out)


def _check_text(text: str, path: Path = ()) -> None:
    half = next((character for character in text if "\ud800" <= character <= "\udfff"), None)
    if half is not None:
        where = f" in {path_words(path)}" if path else ""
        raise NotSendable(f"U+{ord(half):04X}{where} is half a character, and cannot be sent.")


def _walk(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    """Every name and value inside."""
    level: list[tuple[Path, Any]] = [(path, value)]
    for _ in range(MAX_DEPTH + 1):
        below: list[tuple[Path, Any]] = []
        for here, item in level:
            if isinstance(item, Mapping):
                for name, inner in cast("Mapping[str, Any]", item).items():
                    yield (*here, name), name
                    below.append(((*here, name), inner))
            elif isinstance(item, list):
                below += [((*here, number), each) for number, each in enumerate(cast("list[Any]", item))]
            else:
                yield here, item
        level = below
        if not level:
            return
    raise NotSendable("It is nested too deeply to be sent.")


def _too_long(length: int) -> str:
    return f"This is {length - LONGEST_INPUT:,} characters more than the {LONGEST_INPUT:,} that can be sent."


def _sentence(error: BadJson) -> str:
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}."

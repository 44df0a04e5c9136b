"""Reading JSON that strangers wrote (reliability.md T19).

One door for every JSON text from outside: no NaN, no infinity, no nesting that breaks whoever walks
the value later, and one kind of error. Lone surrogates stay: halves of a pair cut over two deltas
are joined where text grows (`growing_text.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, NoReturn, cast

MAX_DEPTH: Final = 200
"""Deepest nesting taken. Python code that walks a value recursively stays far from its limit."""

BIGGEST_EXACT_INT: Final = 2**53
"""Whole numbers beyond it change their value in systems that keep numbers as doubles."""

_BLANK: Final = " \t\n\r"


class BadJson(ValueError):
    """Not JSON, or JSON nobody should have to read."""


def _no_constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number - number != 0:
        raise BadJson("a number too large")
    return number


decode_value: Final = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite).raw_decode
"""The value that begins at a place of a text, and its end. Raises ValueError and RecursionError; see `decode_json`."""


def _exact_int(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > BIGGEST_EXACT_INT:
        short = digits if len(digits) <= 24 else f"{digits[:12]}…{digits[-8:]}"
        raise BadJson(f"{short} is a whole number beyond 2^53: the server may read another one")
    return int(digits)


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise BadJson(f"{json.dumps(twice)} comes more than once in one object")
    return found


_decode_typed: Final = json.JSONDecoder(
    parse_constant=_no_constant, parse_float=_finite, parse_int=_exact_int, object_pairs_hook=_no_doubles
).decode


def decode_json(text: str | bytes) -> Any:
    """The value of a JSON text; bytes are UTF-8.

    Raises BadJson: also for NaN, numbers too long to read and values nested deeper than MAX_DEPTH.
    """
    try:
        if not isinstance(text, str):
            text = text.decode("utf-8-sig")
        if text[:1] in _BLANK:
            text = text.lstrip(_BLANK)
        value, end = decode_value(text)
    except BadJson:
        raise
    except (ValueError, RecursionError) as error:
        raise BadJson(f"not JSON: {error}") from None
    if end != len(text) and text[end:].strip(_BLANK):
        raise BadJson("not JSON: something follows the value")
    if too_deep(text, value):
        raise BadJson("nested too deeply")
    return value


def decode_typed(text: str) -> Any:
    """The value of a JSON text that a person typed, and that is sent on.

    Raises BadJson, with the line and column where it can: as `decode_json`, and for names that come twice and whole
    numbers beyond 2^53, because others would read something else than the person sees.
    """
    try:
        value = _decode_typed(text)
    except BadJson:
        raise
    except json.JSONDecodeError as error:
        raise BadJson(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise BadJson(f"not JSON: {error}") from None
    if too_deep(text, value):
        raise BadJson("nested too deeply")
    return value


def copy_json(value: Any) -> Any:
    """A deep copy of a JSON value; several times faster than `copy.deepcopy`."""
    if isinstance(value, dict):
        copied: dict[str, Any] = {}
        for key, item in cast("dict[str, Any]", value).items():
            copied[key] = copy_json(item) if isinstance(item, dict | list) else item
        return copied
    if isinstance(value, list):
        copies: list[Any] = []
        for item in cast("list[Any]", value):
            copies.append(copy_json(item) if isinstance(item, dict | list) else item)
        return copies
    return value


def too_deep(text: str, value: Any, start: int = 0, end: int | None = None) -> bool:
    """Whether a value, whose text stands from `start` to `end`, is nested deeper than MAX_DEPTH."""
    end = len(text) if end is None else end
    # The shortest text of depth n has 2n characters: most values need no look at all.
    if end - start <= 2 * MAX_DEPTH or text.count("[", start, end) + text.count("{", start, end) <= MAX_DEPTH:
        return False
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _inside(parent) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).values()
    return cast("list[Any]", value) if isinstance(value, list) else ()

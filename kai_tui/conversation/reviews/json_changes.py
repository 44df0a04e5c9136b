"""What differs between two JSON values, place by place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final, cast

from kai_tui.conversation.redact import MASK
from kai_tui.conversation.reviews.call import same
from kai_tui.conversation.reviews.code_texts import language_of
from kai_tui.conversation.reviews.review import Block, PathChange, PathChanges, Present, TextChange
from kai_tui.conversation.reviews.secret_values import is_secret, masked

_PLAIN_KEY: Final = re.compile(r"[\w#-]+")
_MOST_COMPARED: Final = 250_000
"""Longest lists, as the product of both lengths, that are compared item by item; longer ones are shown whole."""
_DEEPEST: Final = 100


def json_changes(before: Any, after: Any, path: str = "") -> list[PathChange]:
    """Every place where `after` differs, in the order of `after`, removals where they were. Secrets are hidden."""
    return list(_changes(before, after, path, "", 0))


def change_blocks(title: str, changes: Sequence[PathChange], present: Present | None = None) -> list[Block]:
    """The changes as a list of places; texts of several lines as diffs of their own behind it."""
    short: list[PathChange] = []
    long: list[Block] = []
    for change in changes:
        if change.known and change.does == "sets" and _is_long(change):
            long.append(
                TextChange(change.path, change.before, change.after, language_of(change.path), present)
            )
        else:
            short.append(change)
    return [*([PathChanges(title, tuple(short), present)] if short else []), *long]


def step_path(path: str, step: str | int) -> str:
    """One step further: `a.b`, `a[0]`, `a["odd key"]`."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    if _PLAIN_KEY.fullmatch(step):
        return f"{path}.{step}" if path else step
    return f"{path}[{_quoted(step)}]"


def _quoted(step: str) -> str:
    escaped = step.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_long(change: PathChange) -> bool:
    texts = (change.before, change.after)
    return all(isinstance(text, str) for text in texts) and any("\n" in text for text in texts)


def _changes(before: Any, after: Any, path: str, key: str, depth: int) -> Iterator[PathChange]:
    if is_secret(key, before) or is_secret(key, after):
        if _token(before) != _token(after):
            yield PathChange(path, "sets", _hidden(key, before), known=True, after=_hidden(key, after))
    elif depth > _DEEPEST:
        yield PathChange(path, "sets", masked(before), known=True, after=masked(after))
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _objects(cast("Mapping[str, Any]", before), cast("Mapping[str, Any]", after), path, depth)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(cast("list[Any]", before), cast("list[Any]", after), path, key, depth)
    elif not same(before, after):
        yield PathChange(path, "sets", masked(before), known=True, after=masked(after))


def _hidden(key: str, value: Any) -> Any:
    return MASK if is_secret(key, value) else masked(value)


def _objects(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str, depth: int
) -> Iterator[PathChange]:
    for key, old in before.items():
        place = step_path(path, str(key))
        if key in after:
            yield from _changes(old, after[key], place, str(key), depth + 1)
        else:
            yield PathChange(place, "removes", _hidden(str(key), old), known=True)
    for key, new in after.items():
        if key not in before:
            yield PathChange(step_path(path, str(key)), "adds", known=True, after=_hidden(str(key), new))


def _lists(before: list[Any], after: list[Any], path: str, key: str, depth: int) -> Iterator[PathChange]:
    if len(before) * len(after) > _MOST_COMPARED:
        yield PathChange(path, "sets", masked(before), known=True, after=masked(after))
        return
    old, new = [_token(item) for item in before], [_token(item) for item in after]
    for what, low, high, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        both = min(high - low, end - start)
        for at in range(both):
            place = step_path(path, low + at)
            yield from _changes(before[low + at], after[start + at], place, key, depth + 1)
        for at in range(low + both, high):
            yield PathChange(step_path(path, at), "removes", _hidden(key, before[at]), known=True)
        for at in range(start + both, end):
            does = "appends" if low >= len(before) or high >= len(before) else "adds"
            place = path if does == "appends" else step_path(path, at)
            yield PathChange(place, does, known=True, after=_hidden(key, after[at]))


def _token(item: object) -> str:
    """Equal for equal items, secrets included."""
    return f"{type(item).__name__}:{item!r}"

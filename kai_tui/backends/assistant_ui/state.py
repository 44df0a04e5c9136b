"""The state a server streams, and the operations that change it (assistant-ui.md §11).

Lenient: what is missing is created, an operation that cannot be applied is left out. Texts that are
appended to are kept as growing ones, so that a token costs the token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.growing_text import GrowingText
from kai_tui.conversation.json_text import MAX_DEPTH

Path: TypeAlias = tuple[str, ...]

MAX_INDEX_DIGITS: Final = 9


class CannotApply(Exception):
    """An operation makes no sense for the state as it is."""


class StateTree:
    """A JSON value that operations change in place. Strings in it may be `GrowingText`s: see `text_in`."""

    def __init__(self, value: Any = None) -> None:
        """Takes a copy."""
        self._root: Any = plain(value)
        self.changed = False

    @property
    def root(self) -> Any:
        """The value itself; nobody else may change it."""
        return self._root

    def plain(self) -> Any:
        """A copy as JSON."""
        return plain(self._root)

    def at(self, path: Path) -> Any:
        """What is at a path that `apply` took; the state itself for the empty one."""
        found: Any = self._root
        for step in path:
            found = cast("list[Any]", found)[int(step)] if isinstance(found, list) else found[step]
        return found

    def apply(self, operation: Any) -> tuple[str, Path]:
        """Carry one operation out; its type and path. Raises CannotApply."""
        kind, path, value = _read(operation)
        if len(path) > MAX_DEPTH:
            raise CannotApply("a path too long")
        if not path:
            self._root = self._changed_value(self._root, kind, value)
        else:
            if not isinstance(self._root, dict | list):
                if self._root is not None:
                    raise CannotApply("a path into a value that has none")
                self._root = {}
            parent = cast("Any", self._root)
            for step in path[:-1]:
                parent = _child(parent, step)
            old = _get(parent, path[-1])
            _put(parent, path[-1], self._changed_value(old, kind, value))
        self.changed = True
        return kind, path

    def _changed_value(self, old: Any, kind: str, value: Any) -> Any:
        if kind == "set":
            return value
        if isinstance(old, GrowingText):
            old.append(value)
            return old
        if old is not None and not isinstance(old, str):
            raise CannotApply("text for what is no text")
        grown = GrowingText(old or "")
        grown.append(value)
        return grown


def _read(operation: Any) -> tuple[str, Path, Any]:
    if not isinstance(operation, dict):
        raise CannotApply("an operation that is no object")
    fields = cast("JsonObject", operation)
    kind, raw = fields.get("type"), fields.get("path")
    if kind not in ("set", "append-text"):
        raise CannotApply("an operation of an unknown kind")
    if not isinstance(raw, list):
        raise CannotApply("an operation without a path")
    path: list[str] = []
    for step in cast("list[Any]", raw):
        if isinstance(step, bool) or not isinstance(step, str | int):
            raise CannotApply("a path with odd steps")
        path.append(str(step))
    value = fields.get("value")
    if kind == "append-text" and not isinstance(value, str):
        raise CannotApply("an appended text that is none")
    return kind, tuple(path), value


def _index(step: str) -> int | None:
    return int(step) if step.isascii() and step.isdigit() and len(step) <= MAX_INDEX_DIGITS else None


def _child(parent: Any, step: str) -> Any:
    """The container at a step, made when it is missing."""
    found = _get(parent, step)
    if isinstance(found, dict | list):
        return cast("Any", found)
    if found is not None:
        raise CannotApply("a path into a value that has none")
    made: Any = {}
    _put(parent, step, made)
    return made


def _get(parent: Any, step: str) -> Any:
    if isinstance(parent, list):
        items = cast("list[Any]", parent)
        index = _index(step)
        if index is None or index > len(items):
            raise CannotApply("an index that is not there")
        return items[index] if index < len(items) else None
    return cast("JsonObject", parent).get(step)


def _put(parent: Any, step: str, value: Any) -> None:
    if not isinstance(parent, list):
        cast("JsonObject", parent)[step] = value
        return
    items = cast("list[Any]", parent)
    index = _index(step)
    if index is None or index > len(items):
        raise CannotApply("an index that is not there")
    if index == len(items):
        items.append(value)
    else:
        items[index] = value


def plain(value: Any) -> Any:
    """A deep copy with plain strings in the place of growing ones."""
    if isinstance(value, GrowingText):
        return value.raw
    if isinstance(value, dict):
        return {key: plain(item) for key, item in cast("JsonObject", value).items()}
    if isinstance(value, list):
        return [plain(item) for item in cast("list[Any]", value)]
    return value


def text_in(value: Any) -> str | GrowingText | None:
    """A text of the state, or None for anything else."""
    return value if isinstance(value, str | GrowingText) else None


def string_in(value: Any) -> str | None:
    """A text of the state as a string."""
    return value.raw if isinstance(value, GrowingText) else value if isinstance(value, str) else None


def messages_in(state: Any) -> Sequence[Any] | None:
    """The conversation in a state of a known shape; None for other shapes.

    A state that began as null has an object with the indexes as keys in place of the list.
    """
    if not isinstance(state, dict):
        return None
    found = cast("JsonObject", state).get("messages")
    if isinstance(found, list):
        return cast("list[Any]", found)
    if isinstance(found, dict) and found:
        numbered = cast("Mapping[str, Any]", found)
        keys = [_index(key) for key in numbered]
        if all(key is not None for key in keys):
            return [numbered[key] for key in sorted(numbered, key=int)]
    return None

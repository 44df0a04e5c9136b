"""Secrets hidden in what is shown: values of `#keys` that are not encrypted yet (keboola-tools.md §2)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from kai_tui.conversation.redact import MASK

_ENCRYPTED: Final = "KBC::"
_DEEPEST: Final = 150


def is_secret(key: object, value: Any) -> bool:
    """Whether the value of this key is a secret in plain text."""
    return (
        isinstance(key, str)
        and key.startswith("#")
        and value not in (None, "")
        and not (isinstance(value, str) and value.startswith(_ENCRYPTED))
    )


def masked(value: Any, depth: int = 0) -> Any:
    """A copy with plain JSON values only and every plain secret hidden."""
    if depth > _DEEPEST:
        return "⟨nested too deeply⟩"
    if isinstance(value, Mapping):
        return {
            str(key): MASK if is_secret(key, item) else masked(item, depth + 1)
            for key, item in cast("Mapping[Any, Any]", value).items()
        }
    if isinstance(value, list | tuple):
        return [masked(item, depth + 1) for item in cast("Sequence[Any]", value)]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return repr(value)


def plain_secrets(value: Any, depth: int = 0) -> Iterator[str]:
    """The names of the secrets in plain text, in their order."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[Any, Any]", value).items():
            if is_secret(key, item):
                yield str(key)
            else:
                yield from plain_secrets(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in cast("Sequence[Any]", value):
            yield from plain_secrets(item, depth + 1)


def shown_json(value: Any) -> str:
    """A value as pretty JSON, plain secrets hidden. Never raises."""
    try:
        return json.dumps(masked(value), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "⟨not to be shown⟩"


def short_json(value: Any) -> str:
    """A value on one line: texts as they are, the rest as JSON, plain secrets hidden."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return json.dumps(masked(value), ensure_ascii=False)
    except (ValueError, RecursionError):
        return "⟨not to be shown⟩"

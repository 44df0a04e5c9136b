"""Text and JSON as SQLite takes them (S9)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from kai_tui.storage.errors import StorageError

if TYPE_CHECKING:
    from kai_tui.conversation.events import JsonObject


def storable(text: str) -> str:
    """Without lone surrogates, which SQLite cannot keep: halves that belong together are joined, others U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def to_json(value: Mapping[str, Any]) -> str:
    """Raises StorageError for what has no JSON."""
    try:
        return storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except (TypeError, ValueError, RecursionError) as error:
        raise StorageError("A message could not be kept on disk: it is nested too deeply.") from error


def from_json(text: Any) -> JsonObject | None:
    """None for what is not a JSON object."""
    try:
        value: object = json.loads(text)
    except (TypeError, ValueError, RecursionError):  # TypeError: a damaged file may give anything
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None

"""Present configurations, in whichever of their shapes they were seen.

The Storage API has `configuration: {parameters, storage, …}`, the MCP tools lift these to the top, flows have
`phases` and `tasks` in one of three places.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

JsonObject: TypeAlias = dict[str, Any]


def body(value: Any) -> JsonObject:
    """What a configuration consists of: `parameters`, `storage`, `phases`, …; empty where nothing is known."""
    whole = _object(value)
    inner = whole.get("configuration")
    return {**whole, **cast("JsonObject", inner)} if isinstance(inner, dict) else whole


def parameters(value: Any) -> JsonObject | None:
    """The parameters; None where the value does not say them."""
    found = body(value).get("parameters")
    return cast("JsonObject", found) if isinstance(found, dict) else None


def row(value: Any, row_id: str) -> JsonObject | None:
    """One row of a configuration."""
    rows = _object(value).get("rows")
    for each in cast("list[Any]", rows) if isinstance(rows, list) else []:
        found = _object(each)
        ids = (found.get("id"), found.get("configuration_row_id"), found.get("row_id"))
        if row_id in [str(each) for each in ids if each is not None]:
            return found
    return None


def part(value: Any, name: str) -> Any:
    """`phases`, `tasks`, `script`, …: from the top or from the parameters; None where it is not said."""
    top = body(value)
    return top[name] if name in top else (parameters(value) or {}).get(name)


def _object(value: Any) -> JsonObject:
    if not isinstance(value, Mapping):
        return {}
    return {str(key): item for key, item in cast("Mapping[Any, Any]", value).items()}

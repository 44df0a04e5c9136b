"""Changes to a configuration's parameters: the operations of `update_config` (keboola-tools.md §2, ParamOp)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

from kai_tui.conversation.json_text import copy_json

JsonObject: TypeAlias = dict[str, Any]
Step: TypeAlias = str | int

_STEP = re.compile(r"""\[(\d+)\]|\[["']([^"']+)["']\]|([^.\[\]]+)""")


def path_steps(path: str) -> list[Step]:
    """`a.b[0].c`, also with `$.` in front, as steps. Raises ValueError."""
    bare = path.strip().removeprefix("$").removeprefix(".")
    steps: list[Step] = []
    at = 0
    while at < len(bare):
        match = _STEP.match(bare, at)
        if match is None:
            raise ValueError(f"{path!r} is no path like db.host or tables[0].name.")
        steps.append(int(match[1]) if match[1] is not None else match[2] or match[3])
        at = match.end()
        if at < len(bare) and bare[at] == ".":
            at += 1
    if not steps:
        raise ValueError("The path is empty.")
    return steps


def apply_operations(parameters: JsonObject, operations: Sequence[JsonObject]) -> JsonObject:
    """A changed copy of `parameters`. Raises ValueError with a sentence about the operation that failed."""
    changed: JsonObject = copy_json(parameters)
    for operation in operations:
        _apply(changed, operation)
    return changed


def _apply(root: JsonObject, operation: JsonObject) -> None:
    path = operation.get("path")
    if not isinstance(path, str):
        raise ValueError("An operation needs a path.")
    *way, last = path_steps(path)
    what = operation.get("op")
    holder = _walk(root, way, path, make=what in ("set", "list_append"))
    if what == "set":
        _set(holder, last, operation.get("value"), path)
    elif what == "remove":
        _remove(holder, last, path)
    elif what == "str_replace":
        old = _get(holder, last, path)
        search, replacement = operation.get("search_for"), operation.get("replace_with")
        if not isinstance(old, str) or not isinstance(search, str) or not isinstance(replacement, str):
            raise ValueError(f"{path} is no text to replace in.")
        if search not in old:
            raise ValueError(f"{path} does not contain {search!r}.")
        _set(holder, last, old.replace(search, replacement), path)
    elif what == "list_append":
        items = _get(holder, last, path, default=[])
        if not isinstance(items, list):
            raise ValueError(f"{path} is no list.")
        _set(holder, last, [*cast("list[Any]", items), operation.get("value")], path)
    else:
        raise ValueError(f"{what!r} is no operation: use set, str_replace, remove or list_append.")


def _walk(root: Any, way: Sequence[Step], path: str, *, make: bool) -> Any:
    here = root
    for step in way:
        if make and isinstance(here, dict) and isinstance(step, str):
            here = cast("JsonObject", here).setdefault(step, {})
        else:
            here = _get(here, step, path)
    return here


_MISSING = object()


def _get(holder: Any, step: Step, path: str, default: Any = _MISSING) -> Any:
    if isinstance(holder, dict) and isinstance(step, str):
        found = cast("JsonObject", holder).get(step, default)
        if found is not _MISSING:
            return found
    elif isinstance(holder, list) and isinstance(step, int) and step < len(cast("list[Any]", holder)):
        return cast("list[Any]", holder)[step]
    raise ValueError(f"There is nothing at {path}.")


def _set(holder: Any, step: Step, value: Any, path: str) -> None:
    if isinstance(holder, dict) and isinstance(step, str):
        cast("JsonObject", holder)[step] = value
    elif isinstance(holder, list) and isinstance(step, int) and step < len(cast("list[Any]", holder)):
        cast("list[Any]", holder)[step] = value
    else:
        raise ValueError(f"Nothing can be set at {path}.")


def _remove(holder: Any, step: Step, path: str) -> None:
    _get(holder, step, path)
    del holder[step]

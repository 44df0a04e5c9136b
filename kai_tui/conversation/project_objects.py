"""Things of a project that a message can name: buckets, tables, configurations, flows; and those a chat has shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast

from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.conversation.tool_results import answer_of
from kai_tui.conversation.toon import NotToon, decode_toon

ObjectSort: TypeAlias = Literal[
    "bucket", "table", "configuration", "transformation", "flow", "data app", "component"
]

MOST_SEEN: Final = 500
MOST_CALLS: Final = 60
"""Calls of a chat that are looked at, the newest first."""
MOST_MESSAGES: Final = 100
"""Of a chat: older ones may not even be read from their JSON yet."""
MOST_TEXT: Final = 200_000
"""Characters of one answer that are read."""

_BUCKET: Final = re.compile(r"(?:in|out|sys)\.[A-Za-z0-9_-]+")
_TABLE: Final = re.compile(r"(?:in|out|sys)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_FLOWS: Final = ("keboola.flow", "keboola.orchestrator")


class ProjectObject(NamedTuple):
    """One of them. Texts are raw."""

    sort: ObjectSort
    id: str
    """What stands for it in a message: `in.c-crm.customers`, `keboola.flow/17`."""
    name: str = ""
    rows: int | None = None
    size: int | None = None
    """Bytes."""


def sort_of_component(component_id: str, kind: str = "") -> ObjectSort:
    """What a configuration of a component is called. `kind`: the component's own, when it is known."""
    if component_id in _FLOWS:
        return "flow"
    if component_id == "keboola.data-apps":
        return "data app"
    return (
        "transformation" if kind == "transformation" or "transformation" in component_id else "configuration"
    )


def seen_objects(messages: Sequence[Message]) -> list[ProjectObject]:
    """What the answers of a chat's tools showed, the newest first, each once. Nothing here fails on odd shapes."""
    found: dict[str, ProjectObject] = {}
    for part in _newest_calls(messages):
        for each in _of_answer(_answer(part.output)):
            found.setdefault(each.id, each)
            if len(found) >= MOST_SEEN:
                return list(found.values())
    return list(found.values())


def _newest_calls(messages: Sequence[Message]) -> Iterator[ToolPart]:
    left = MOST_CALLS
    for message in reversed(messages[-MOST_MESSAGES:]):
        for part in reversed(message.parts):
            if isinstance(part, ToolPart) and part.state == "output-available" and not part.preliminary:
                yield part
                left -= 1
                if not left:
                    return


def _answer(output: Any) -> Any:
    value, failed = answer_of(output)
    if failed:
        return None
    if isinstance(value, str):
        try:
            return decode_toon(value) if len(value) <= MOST_TEXT else None
        except NotToon:
            return None
    return value


def _of_answer(value: Any, depth: int = 0) -> Iterator[ProjectObject]:
    if depth > 5:
        return
    if isinstance(value, list):
        for each in cast("list[Any]", value)[:2000]:
            yield from _of_answer(each, depth + 1)
    elif isinstance(value, dict):
        item = cast("JsonObject", value)
        here = _object(item)
        if here is not None:
            yield here
        for each in item.values():
            if isinstance(each, dict | list):
                yield from _of_answer(each, depth + 1)


def _object(item: JsonObject) -> ProjectObject | None:
    object_id = item.get("id")
    name = _text(item, "display_name", "displayName", "name")
    if isinstance(object_id, str):
        if _TABLE.fullmatch(object_id):
            rows, size = _sizes(item)
            return ProjectObject("table", object_id, name, rows, size)
        if _BUCKET.fullmatch(object_id):
            return ProjectObject("bucket", object_id, name, None, _sizes(item)[1])
    component = _text(item, "component_id", "componentId")
    configuration = _text(item, "configuration_id", "configurationId", "config_id", "configId")
    if component and configuration and is_plain_id(component) and is_plain_id(configuration):
        return ProjectObject(sort_of_component(component), f"{component}/{configuration}", name)
    return None


def _sizes(item: JsonObject) -> tuple[int | None, int | None]:
    return _count(item, "rows_count", "rowsCount"), _count(item, "data_size_bytes", "dataSizeBytes")


def _count(item: JsonObject, *names: str) -> int | None:
    value = next((item[name] for name in names if name in item), None)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(item: JsonObject, *names: str) -> str:
    return next((value for name in names if isinstance(value := item.get(name), str) and value), "")


def is_plain_id(text: str) -> bool:
    """Whether an id is only letters, digits, dots, dashes and `_`: others are never put into a message."""
    return bool(_PLAIN.fullmatch(text))


_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")


def joined(*lists: Iterable[ProjectObject]) -> list[ProjectObject]:
    """Each object once; what a later list knows about one completes what an earlier one says."""
    found: dict[str, ProjectObject] = {}
    for each in (one for listed in lists for one in listed):
        before = found.get(each.id)
        if before is not None:
            each = ProjectObject(
                before.sort,
                before.id,
                before.name or each.name,
                before.rows if before.rows is not None else each.rows,
                before.size if before.size is not None else each.size,
            )
        found[each.id] = each
    return list(found.values())

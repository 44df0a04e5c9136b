"""Present values that earlier tool results of a chat showed (keboola-tools.md §4).

Looked for from the newest call to the oldest. What a later call may have changed counts as not known: also one
that failed, whose outcome nobody knows, or whose tool nobody knows. Nothing here fails on odd shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, cast

from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.conversation.reviews.review import Present, Wanted
from kai_tui.conversation.tool_results import answer_of
from kai_tui.conversation.tools import MARKS
from kai_tui.conversation.toon import NotToon, decode_toon

When: TypeAlias = Callable[[Message, int], float | None]
"""When a part of a message ended, in seconds since the epoch; None when nobody knows."""

MOST_CALLS: Final = 400
"""How many calls are looked at; the older ones are stale by then anyway."""
MOST_TEXT: Final = 1_000_000
"""Characters of answers that are read for one question; that takes up to a fifth of a second."""

_CONFIGURED: Final = ("configuration", "flow", "data app", "configuration row")
_READS: Final[Mapping[str, tuple[str, ...]]] = {
    "project": ("get_project_info",),
    "bucket": ("get_buckets", "get_bucket_detail", "retrieve_buckets"),
    "table": ("get_tables", "get_table_detail", "retrieve_bucket_tables"),
    "column": ("get_tables", "get_table_detail"),
    "jobs": ("get_jobs", "retrieve_jobs"),
}
_CONFIG_READS: Final = (
    "get_configs",
    "get_config",
    "list_configs",
    "get_component",
    "get_flows",
    "get_flow",
    "get_data_apps",
    "retrieve_transformations",
)
_KEPT: Final = (
    "component_id",
    "configuration_id",
    "id",
    "name",
    "description",
    "version",
    "change_description",
    "is_disabled",
    "parameters",
    "storage",
    "processors",
    "phases",
    "tasks",
    "schedules",
    "variables",
    "authorization",
    "runtime",
)
"""What a configuration has of its own in an answer; the rest is about the answer (links, summaries)."""
_WHOLE: Final = ("parameters", "storage", "phases", "tasks")
"""One of these is there when an answer shows a configuration and does not only list it."""


def seen_values(
    messages: Sequence[Message],
    wanted: Sequence[Wanted],
    *,
    when: When | None = None,
    besides: str = "",
    most_text: int = MOST_TEXT,
) -> dict[Wanted, Present]:
    """Of the values that are wanted those the chat showed. `besides`: the id of the call they are wanted for.

    Reads no more than `most_text` characters of answers: what was said before those is not known.
    """
    missing = dict.fromkeys(each for each in wanted if each.what != "preview")
    found: dict[Wanted, Present] = {}
    budget = most_text
    for number, (message, index, part) in enumerate(_calls_newest_first(messages)):
        if not missing or number >= MOST_CALLS:
            break
        if part.tool_call_id == besides and besides:
            continue
        tool = part.tool_name
        if MARKS.get(tool) != "R":
            for each in [each for each in missing if may_have_changed(part, each)]:
                del missing[each]
            continue
        sought = [each for each in missing if tool in _tools_that_show(each)]
        if not sought or part.state != "output-available" or part.preliminary:
            continue
        output = part.output
        budget -= _weight(output)
        if budget < 0:
            break
        answer = _answer(output)
        for each in sought:
            value = _shown(part, answer, each)
            if value is not None:
                found[each] = Present(value, "chat", _time(message, index, answer, when))
                del missing[each]
    return found


def _calls_newest_first(messages: Sequence[Message]) -> Iterator[tuple[Message, int, ToolPart]]:
    for message in reversed(messages):
        for index in range(len(message.parts) - 1, -1, -1) if message.tool_calls() else ():
            part = message.parts[index]
            if isinstance(part, ToolPart):
                yield message, index, part


def _tools_that_show(wanted: Wanted) -> Sequence[str]:
    if wanted.what == "jobs":
        return _READS["jobs"]
    if wanted.of.kind in _CONFIGURED:
        return _CONFIG_READS
    return _READS.get(wanted.of.kind, ())


# What later calls may have changed


def may_have_changed(part: ToolPart, wanted: Wanted) -> bool:
    """Whether a call that writes, or may, can have changed a value."""
    tool = part.tool_name
    if part.state in ("output-denied", "approval-requested", "input-streaming"):
        return False  # not carried out; `input-available` may be running at a kai-agent (kai.md §9.2)
    if wanted.what == "jobs":
        return tool == "run_job" or tool not in MARKS
    mark = MARKS.get(tool)
    if mark is None:
        return True
    if mark == "W" or tool in ("run_job", "create_oauth_url"):
        return False
    if tool == "update_project_description":
        return wanted.of.kind == "project"
    named = _last(wanted.of.id)
    return bool(named) and any(_names(text, named) for text in _texts(part.input))


def _names(text: str, named: str) -> bool:
    """Whether a text of an input is an id; models send lists as JSON text now and then."""
    return _last(text) == named or (text.lstrip()[:1] in ("[", "{") and named in text)


def _last(object_id: str) -> str:
    return object_id.rsplit("/", 1)[-1]


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < 4 and isinstance(value, dict):
        for each in cast("JsonObject", value).values():
            yield from _texts(each, depth + 1)
    elif depth < 4 and isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from _texts(each, depth + 1)


# What an answer shows


def _weight(output: Any) -> int:
    """Roughly how many characters have to be read as JSON."""
    if isinstance(output, str):
        return len(output)
    if isinstance(output, dict):
        content = cast("JsonObject", output).get("content")
        if isinstance(content, list):
            texts = [_field(each, "text") for each in cast("list[Any]", content)]
            return sum(len(text) for text in texts if isinstance(text, str))
    return 0


def _answer(output: Any) -> Any:
    """The answer's own value; None when it says that it failed."""
    value, failed = answer_of(output)
    if failed or _field(value, "_declined") is True:
        return None
    if isinstance(value, str):
        try:
            return decode_toon(value)
        except NotToon:
            return None
    return value


def _shown(part: ToolPart, answer: Any, wanted: Wanted) -> Any:
    """The value in an answer; None when it is not there."""
    kind, object_id = wanted.of.kind, wanted.of.id
    if wanted.what == "jobs":
        return _jobs(part.input, answer, object_id)
    if kind == "project":
        return _text(_field(answer, "project_description", "projectDescription"))
    if kind == "bucket":
        return _description(_items(answer, "buckets", "bucket"), object_id)
    if kind == "table":
        return _description(_items(answer, "tables", "table"), object_id)
    if kind == "column":
        table, _, column = object_id.rpartition(".")
        for each in _items(answer, "tables", "table"):
            if each.get("id") == table:
                return _description(_items(each, "columns"), column, "name")
        return None
    if kind not in _CONFIGURED:
        return None
    value = _configuration(answer, object_id, row=kind == "configuration row")
    if value is None:
        return None
    if wanted.what == "description":
        return _text(value.get("description"))
    if wanted.what == "source":
        return _source(value)
    return value if any(name in value for name in _WHOLE) else None


def _field(value: Any, *names: str) -> Any:
    fields = cast("JsonObject", value) if isinstance(value, dict) else {}
    return next((fields[name] for name in names if name in fields), None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _items(answer: Any, *names: str) -> list[JsonObject]:
    """The objects of a list in an answer: under one of these names, or the answer itself."""
    inner: Any = _field(answer, *names) if isinstance(answer, dict) else answer
    if inner is None and isinstance(answer, dict):
        inner = [answer]
    if isinstance(inner, dict):
        inner = [inner]
    rows = cast("list[Any]", inner) if isinstance(inner, list) else []
    return [cast("JsonObject", each) for each in rows if isinstance(each, dict)]


def _description(items: Iterable[JsonObject], object_id: str, key: str = "id") -> str | None:
    """Answers leave empty descriptions out: an item without one has none if others of the answer have theirs."""
    rows = list(items)
    for each in rows:
        if each.get(key) == object_id:
            said = _text(each.get("description"))
            if said is None and any(isinstance(other.get("description"), str) for other in rows):
                return ""
            return said
    return None


def _configuration(answer: Any, object_id: str, *, row: bool) -> JsonObject | None:
    """A configuration (or a row of one) of an answer, as `Wanted` says it."""
    ids = [piece for piece in object_id.split("/") if piece]
    if not ids:
        return None
    wanted_row = ids.pop() if row else ""
    for each in _items(answer, "configs", "configurations", "flows", "data_apps", "dataApps"):
        value = _of_configuration(each)
        if not ids or value.get("configuration_id") != ids[-1]:
            continue
        component = value.get("component_id")
        if len(ids) > 1 and isinstance(component, str) and component and component != ids[0]:
            continue
        if not row:
            return value
        rows = [found for found in value.get("rows", []) if found.get("id") == wanted_row]
        return rows[0] if rows else None
    return None


def _of_configuration(item: JsonObject) -> JsonObject:
    root: Any = _field(item, "configuration_root", "configurationRoot")
    inner = cast("JsonObject", root) if isinstance(root, dict) else item
    value = _kept(inner)
    component: Any = _field(item, "component")
    if "component_id" not in value and isinstance(component, dict):
        value["component_id"] = _field(component, "component_id", "componentId", "id")
    configuration: Any = inner.get("configuration")
    if isinstance(configuration, dict):
        value |= {name: each for name, each in cast("JsonObject", configuration).items() if name not in value}
    rows: Any = _field(item, "configuration_rows", "configurationRows", "rows")
    if isinstance(rows, list):
        listed = [cast("JsonObject", each) for each in cast("list[Any]", rows) if isinstance(each, dict)]
        value["rows"] = [_row(each) for each in listed]
    return value


def _kept(item: JsonObject) -> JsonObject:
    found: JsonObject = {}
    for name, value in item.items():
        plain = _PLAIN.get(name, name)
        if plain in _KEPT and value is not None:
            found.setdefault(plain, value)
    if "configuration_id" not in found and isinstance(found.get("id"), str):
        found["configuration_id"] = found["id"]
    return found


_PLAIN: Final[Mapping[str, str]] = {
    "componentId": "component_id",
    "configurationId": "configuration_id",
    "config_id": "configuration_id",
    "changeDescription": "change_description",
    "isDisabled": "is_disabled",
}


def _row(item: JsonObject) -> JsonObject:
    found = _kept(item)
    row_id: Any = _field(item, "configuration_row_id", "configurationRowId", "row_id", "id")
    if isinstance(row_id, str):
        found["id"] = row_id
    for name in ("component_id", "configuration_id"):
        found.pop(name, None)
    inner: Any = item.get("configuration")
    if isinstance(inner, dict):
        found |= {name: each for name, each in cast("JsonObject", inner).items() if name not in found}
    return found


def _source(value: JsonObject) -> str | None:
    said = _text(_field(value, "source_code", "sourceCode"))
    script: Any = _field(value.get("parameters"), "script")
    if said is None and isinstance(script, list):
        lines = cast("list[Any]", script)
        return "\n".join(lines) if all(isinstance(line, str) for line in lines) else None
    return said if said is not None else _text(script)


def _jobs(given: Any, answer: Any, object_id: str) -> list[JsonObject] | None:
    """The last runs, if the answer lists the newest jobs of this configuration, or of all."""
    arguments = cast("JsonObject", given) if isinstance(given, dict) else {}
    if any(arguments.get(name) for name in ("job_ids", "status", "offset")):
        return None
    if arguments.get("sort_order") == "asc" or arguments.get("sort_by") not in (
        None,
        "startTime",
        "createdTime",
    ):
        return None
    component, _, configuration = object_id.rpartition("/")
    found: list[JsonObject] = []
    for job in _items(answer, "jobs"):
        config = _field(job, "configId", "config_id", "config", "configuration_id")
        owner = _field(job, "componentId", "component_id", "component")
        if config != configuration or (component and owner != component):
            continue
        status = _text(job.get("status")) or ""
        result: Any = job.get("result")
        found.append(
            {
                "id": str(job.get("id", "")),
                "status": status,
                "finished": _field(job, "isFinished", "is_finished") is True,
                "created": _text(_field(job, "createdTime", "created_time")) or "",
                "started": _text(_field(job, "startTime", "start_time")) or "",
                "ended": _text(_field(job, "endTime", "end_time")) or "",
                "seconds": _seconds(_field(job, "durationSeconds", "duration_seconds")),
                "message": _text(_field(result, "message")) or "",
                "url": "",
            }
        )
    return found[:5] or None


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


# When it was


def _time(message: Message, index: int, answer: Any, when: When | None) -> float | None:
    known = when(message, index) if when is not None else None
    if known is not None:
        return known
    said = _field(answer, "_timestamp")
    return _epoch(said) or _epoch(message.extra.get("createdAt"))


def _epoch(said: Any) -> float | None:
    if not isinstance(said, str) or len(said) > 40:
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()

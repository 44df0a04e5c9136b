"""What brings a configuration, a flow, a transformation or a data app back to what it was before a call.

Place by place where the configuration before is known; else by the number of the version before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, TypeAlias, cast

from kai_tui.conversation.inverses import Inverse, NoInverse, Undoing, fenced
from kai_tui.conversation.messages import ToolPart
from kai_tui.conversation.redact import MASK
from kai_tui.conversation.reviews import present_configs
from kai_tui.conversation.reviews.call import Fields, same
from kai_tui.conversation.reviews.json_changes import step_path
from kai_tui.conversation.reviews.objects import FLOW_COMPONENTS, configuration
from kai_tui.conversation.reviews.parameter_operations import NotWorkedOut, applied, operations
from kai_tui.conversation.reviews.review import ObjectRef, Presents
from kai_tui.conversation.reviews.secret_values import is_secret, masked
from kai_tui.conversation.tool_results import answer_of

JsonObject: TypeAlias = dict[str, Any]

_LISTS: Final = ("phases", "tasks")
"""Parts of a flow that a call replaces as a whole."""
_ELSEWHERE: Final = (
    ("processors_before", "processors"),
    ("processors_after", "processors"),
    ("variables", "variables"),
    ("folder", "folder"),
    ("schedules", "schedules"),
    ("packages", "packages"),
    ("authentication_type", "way of signing in"),
)
"""Arguments whose values before are not known as a rule, and what they are about."""
_SECRETS: Final = "Secrets are not put into a message: give them yourself, in the web interface."
_SHORT: Final = 300
"""Characters of a value that stands inside a line."""


def changed_configuration(call: ToolPart) -> tuple[ObjectRef, int] | None:
    """Which configuration a call changed, and the number of its version before."""
    component, config, _ = _ids(call)
    number = Fields(answer_of(call.output)[0]).value("version")
    if not config or not isinstance(number, int) or isinstance(number, bool) or number < 2:
        return None
    if "data_app" in call.tool_name:
        return ObjectRef("data app", config), number - 1
    if "flow" in call.tool_name and component not in FLOW_COMPONENTS:
        return ObjectRef("flow", config), number - 1
    return (configuration(component, config) if component else ObjectRef("configuration", config)), number - 1


def _ids(call: ToolPart) -> tuple[str, str, str]:
    """Component (empty when it is not said), configuration and row."""
    given, said = Fields(call.input), Fields(answer_of(call.output)[0])
    component = given.text("component_id") or said.text("component_id") or given.text("flow_type")
    config = given.text("configuration_id", "config_id") or said.text("configuration_id")
    return component, config, given.text("configuration_row_id", "row_id", "config_row_id")


def configuration_back(call: ToolPart, before: Presents) -> Undoing:
    """The message for one call, or why there is none."""
    given = Fields(call.input)
    answer, _ = answer_of(call.output)
    said = Fields(answer)
    component, config, row = _ids(call)
    name = _name(call.tool_name, component, config, row)
    whole = _known_before(before)
    known = whole
    if row and whole is not None:
        known = present_configs.row(whole, row)
    version = _version_before(said, whole)
    lines: list[str] = []
    rest: list[str] = []
    if known is None and (source := _source_before(before, {})) is not None:
        known = {"source": source}
    if known is None:
        rest = ["everything this call changed"]
    else:
        for text in (*_lines_back(call.tool_name, given, known), *_source_back(given, before, known)):
            (lines if text.startswith("- ") else rest).append(text)
    if known is not None and not lines and not rest:
        return NoInverse("This call left everything as it was.")
    if not lines and not version:
        return NoInverse(
            "What was there before is not known here. Look at its versions in the web interface."
        )
    return _message(name, lines, list(dict.fromkeys(rest)), version, known is not None)


def _message(name: str, lines: list[str], rest: list[str], version: str, known: bool) -> Undoing:
    cautions: list[str] = []
    if any(MASK in line for line in lines):
        lines = [line for line in lines if MASK not in line]
        cautions.append(_SECRETS)
        if not lines and not version:
            return NoInverse(_SECRETS)
    back = f" as it was in version {version}" if version else " to what it was before"
    if not lines:
        if not known:
            cautions.append(
                "What it was is not known here, only its version. If the assistant cannot see that version either, "
                "restore it in the web interface."
            )
        return Inverse(
            f"Please undo your change: bring {name} back{back}. "
            "If you cannot see what it was, say so and change nothing.",
            tuple(cautions),
        )
    text = f"Please undo your change: bring {name} back{back}. Change exactly this and nothing else:\n\n"
    what = ", ".join(rest)
    if rest and version:
        lines.append(f"- bring {what} back as in version {version}, if you can see what it was there")
    text += "\n".join(lines)
    if rest and not version:
        cautions.append(f"Not undone by this message, because it is not known what it was: {what}.")
    return Inverse(text, tuple(cautions))


def _name(tool: str, component: str, config: str, row: str) -> str:
    kind = (
        "flow"
        if "flow" in tool
        else "transformation"
        if "transformation" in tool
        else "data app"
        if "data_app" in tool
        else "configuration"
    )
    of = f" of {component}" if component and kind == "configuration" else ""
    inner = f"row {row} of " if row else ""
    return f"{inner}{kind} {config}{of}" if config else f"the {kind}"


def _known_before(before: Presents) -> JsonObject | None:
    """The configuration as a whole, from whichever place it was seen."""
    for wanted, present in before.items():
        if wanted.what == "configuration" and isinstance(present.value, dict):
            return cast("JsonObject", present.value)
    for wanted, present in before.items():
        if wanted.what == "preview" and (original := Fields(present.value).object("original_config")):
            return original
    return None


def _source_before(before: Presents, known: JsonObject) -> str | None:
    """The source of an app that is kept in its configuration."""
    for wanted, present in before.items():
        if wanted.what == "source" and isinstance(present.value, str):
            return present.value
    script: Any = (present_configs.parameters(known) or {}).get("script")
    if isinstance(script, list) and all(isinstance(each, str) for each in cast("list[Any]", script)):
        return "\n".join(cast("list[str]", script))
    return script if isinstance(script, str) else None


def _version_before(said: Fields, whole: JsonObject | None) -> str:
    """The number of the version before the call; empty when nobody knows."""
    known: Any = whole.get("version") if whole is not None else None
    if isinstance(known, int) and not isinstance(known, bool) and known > 0:
        return str(known)
    now = said.value("version")
    return str(now - 1) if isinstance(now, int) and not isinstance(now, bool) and now > 1 else ""


def _lines_back(tool: str, given: Fields, known: JsonObject) -> Iterator[str]:
    """`- …` for what can be put back, else what cannot."""
    body = present_configs.body(known)
    for field in ("name", "description"):
        new = given.text(field)
        if new and body.get(field) != new:
            old = body.get(field)
            if isinstance(old, str):
                yield _set(field, old)
            else:
                yield f"the {field}"
    disabled = given.flag("is_disabled")
    if disabled is not None:
        was = body.get("is_disabled")
        if not isinstance(was, bool):
            yield "whether it is disabled"
        elif was != disabled:
            yield "- " + ("disable it again" if was else "enable it again")
    yield from _parameters_back(tool, given, known)
    for field in _LISTS:
        new = given.list(field)
        if new is not None:
            old = present_configs.part(known, field)
            if old is None:
                yield f"the {field}"
            elif old != new:
                yield _set(field, old)
    storage = given.object("storage")
    if storage is not None:
        old = body.get("storage")
        if old is None and "parameters" not in body:
            yield "storage"
        elif old != storage:
            yield _set("storage", old or {})
    for argument, words in _ELSEWHERE:
        if given.has(argument):
            yield f"the {words}"


def _parameters_back(tool: str, given: Fields, known: JsonObject) -> Iterator[str]:
    changes = given.objects("parameter_updates")
    replaced = given.object("parameters")
    if not changes and replaced is None:
        return
    old = present_configs.parameters(known)
    if old is None:
        yield "the parameters"
        return
    if "transformation" in tool:
        # Its operations speak of blocks by ids of their own: what was there says it exactly.
        yield _set("blocks", old.get("blocks") or [])
        return
    try:
        new = replaced if replaced is not None else applied(old, operations(changes))
    except NotWorkedOut:
        yield _set("all parameters", old)
        return
    yield from _places_back(new, old, "", "")


def _places_back(new: Any, old: Any, path: str, key: str) -> Iterator[str]:
    """Each place where `new` differs, with the value it had. A list of another length goes back as a whole: what
    stands at a number in it depends on what was put back before."""
    place = f"parameters.{path}" if path else "all parameters"
    if is_secret(key, old) or is_secret(key, new):
        if not same(new, old):
            yield _set(place, MASK)
    elif isinstance(new, dict) and isinstance(old, dict):
        now, before = cast("JsonObject", new), cast("JsonObject", old)
        for name, value in before.items():
            inner = step_path(path, name)
            if name in now:
                yield from _places_back(now[name], value, inner, name)
            else:
                shown = MASK if is_secret(name, value) else value
                yield f"- put parameters.{inner} back: {_value(shown)}"
        yield from (f"- remove parameters.{step_path(path, name)}" for name in now if name not in before)
    elif (
        isinstance(new, list)
        and isinstance(old, list)
        and len(cast("list[Any]", new)) == len(cast("list[Any]", old))
    ):
        pairs = zip(cast("list[Any]", new), cast("list[Any]", old), strict=True)
        for index, (one, other) in enumerate(pairs):
            yield from _places_back(one, other, step_path(path, index), key)
    elif not same(new, old):
        yield _set(place, old)


def _source_back(given: Fields, before: Presents, known: JsonObject) -> Iterator[str]:
    new = given.text("source_code")
    if not new:
        return
    old = _source_before(before, known)
    if old is None:
        yield "the source"
    elif old != new:
        yield f"- set its source back to exactly this:\n\n{fenced(old, 'python')}\n"


def _set(place: str, value: Any) -> str:
    return f"- set {place} back to {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, str) and "\n" in value:
        return f"exactly this text:\n\n{fenced(value)}\n"
    short = json.dumps(masked(value), ensure_ascii=False)
    if len(short) <= _SHORT:
        return short
    return f"exactly this:\n\n{fenced(json.dumps(masked(value), ensure_ascii=False, indent=2), 'json')}\n"

"""Putting back what a change had replaced, as the program words it (`conversation/inverses.py`).

The assistant keeps no earlier versions: it puts back what the message says, and changes nothing where it says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from kai_tui.sandbox.assistant.reporting import refused, told, unread
from kai_tui.sandbox.assistant.rules import Understood
from kai_tui.sandbox.assistant.script import Call, JsonObject, Script, Step
from kai_tui.sandbox.assistant.talk import Talk
from kai_tui.sandbox.assistant.working import both_lists
from kai_tui.sandbox.assistant.writing import cell, counted, next_actions

_UNDO = re.compile(r"(?:please\s+)?undo your change:\s*(?P<what>.+)", re.IGNORECASE | re.DOTALL)
_FREE = re.compile(r"undo(?: (?:that|this|it|your change|the (?:last )?change))?(?: again)?", re.IGNORECASE)
_FENCED = r"(?P<marks>`{3,})\w*\n(?P<text>.*?)\n(?P=marks)"
_ITEM = r"(?:(?:bucket|table|column) )?(?P<item>[\w.\-#]+)"
_ONE = re.compile(
    rf"set the description of {_ITEM} back to exactly this text:\s*{_FENCED}\s*", re.IGNORECASE | re.DOTALL
)
_PROJECT = re.compile(
    rf"set the description of the project back to exactly this text:\s*{_FENCED}\s*",
    re.IGNORECASE | re.DOTALL,
)
_EMPTY = re.compile(rf"remove the description of {_ITEM} again\b.*", re.IGNORECASE | re.DOTALL)
_SEVERAL = re.compile(r"set these \d+ descriptions back to exactly these texts\.", re.IGNORECASE)
_ENTRY = re.compile(rf"^{_ITEM}:(?: an empty text, there was none$|\n{_FENCED})", re.MULTILINE | re.DOTALL)
_CONFIG = re.compile(
    r"bring (?P<kind>configuration|flow|transformation) (?P<id>\w+)(?: of (?P<component>[\w.\-]+))? back\b"
    r"[^:]*?(?:exactly this and nothing else:\s*(?P<lines>.*))?$",
    re.IGNORECASE | re.DOTALL,
)
_LINE = re.compile(
    r"^- (?:(?P<verb>set|put) (?P<place>[^\n]+?) back(?: to|:)|remove (?P<gone>[^\n]+)$)"
    rf"(?:[^\n]*?:?\n\n{_FENCED}| (?P<json>[^\n]+))?",
    re.MULTILINE | re.DOTALL,
)


def undo(_sentence: str, text: str, _talk: Talk) -> Understood | None:
    """A rule: a message that puts something back."""
    match = _UNDO.fullmatch(text.strip())
    if match is None:
        return Understood(_ask) if _FREE.fullmatch(_sentence) else None
    what = match["what"].strip()
    project = _PROJECT.fullmatch(what)
    if project is not None:
        return Understood(lambda talk: _project_back(talk, project["text"]))
    updates = list(_updates(what))
    if updates:
        return Understood(lambda talk: _descriptions_back(talk, updates))
    config = _CONFIG.fullmatch(what)
    if config is not None:
        changes = _changes(config["lines"] or "")
        return Understood(lambda talk: _configuration_back(talk, config["id"], config["component"], changes))
    return Understood(_ask)


def _updates(what: str) -> Iterator[JsonObject]:
    one = _ONE.fullmatch(what)
    if one is not None:
        yield {"item_id": one["item"], "description": one["text"]}
    elif (empty := _EMPTY.fullmatch(what)) is not None:
        yield {"item_id": empty["item"], "description": ""}
    elif _SEVERAL.match(what):
        for entry in _ENTRY.finditer(what):
            yield {"item_id": entry["item"], "description": entry["text"] or ""}


def _changes(lines: str) -> JsonObject | None:
    """The arguments of `update_config` that these lines ask for; None when a line is not understood."""
    changes: JsonObject = {}
    operations: list[JsonObject] = []
    matches = list(_LINE.finditer(lines))
    if not matches:
        return None
    for match in matches:
        place = match["place"] or match["gone"] or ""
        path = place.removeprefix("parameters.")
        if match["gone"]:
            operations.append({"op": "remove", "path": path})
            continue
        try:
            value: Any = match["text"] if match["text"] is not None else json.loads(match["json"] or "")
        except ValueError:
            return None
        if place in ("name", "description", "storage"):
            changes[place] = value
        else:
            operations.append({"op": "set", "path": path, "value": value})
    if operations:
        changes["parameter_updates"] = operations
    return changes


def _ask(_talk: Talk) -> Script:
    yield Step(
        "I keep no earlier versions, so I can only put back what you tell me: go to the change with Ctrl+O and press "
        "u, then send the message that is prepared. Nothing was changed."
        + next_actions("List my configurations")
    )


def _descriptions_back(_talk: Talk, updates: list[JsonObject]) -> Script:
    (result,) = yield Step(
        thought="The user wants old descriptions back; the message says what they were.",
        text=f"I put {counted(len(updates), 'description')} back.",
        calls=(Call("update_descriptions", {"updates": updates}),),
    )
    if result.status != "done":
        yield Step(refused(result))
        return
    bad = [each for each in result.output["results"] if not each["success"]]
    lines = [f"`{cell(each['item_id'])}`: {each['error']}" for each in bad]
    good = len(result.output["results"]) - len(bad)
    yield Step("\n\n".join([told(result, f"Done: {counted(good, 'description')} put back."), *lines]))


def _project_back(_talk: Talk, text: str) -> Script:
    (result,) = yield Step(
        text="I put the project's description back.",
        calls=(Call("update_project_description", {"description": text}),),
    )
    yield Step(told(result, "Done: the project's description is what it was."))


def _configuration_back(
    _talk: Talk, config: str, component: str | None, changes: JsonObject | None
) -> Script:
    if changes is None:
        yield Step(
            "I keep no earlier versions, and the message does not say what there was. Nothing was changed."
            + next_actions("List my configurations")
        )
        return
    if component is None:
        lists = yield both_lists()
        for looked in lists:
            if looked.status != "done":
                yield Step(unread(looked))
                return
        every = [*lists[0].output["configs"], *lists[1].output["flows"]]
        found = [each for each in every if each["configuration_id"] == config]
        if not found:
            yield Step(f"There is no configuration {cell(config)}. Nothing was changed.")
            return
        component = str(found[0]["component_id"])
    (result,) = yield Step(
        thought="The user wants an earlier state back; the message says what was different.",
        text="I put it back.",
        calls=(
            Call(
                "update_config",
                {
                    "component_id": component,
                    "configuration_id": config,
                    "change_description": "Undo of the last change",
                    **changes,
                },
            ),
        ),
    )
    if result.status != "done":
        yield Step(refused(result))
        return
    yield Step(
        told(result, f"Done: it is as it was (version {result.output['version']}).")
        + next_actions(f"Show the {config} configuration")
    )

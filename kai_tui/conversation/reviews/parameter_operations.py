"""`parameter_updates` of a configuration: what they say, and what they make of the present parameters.

The operations and what they refuse are those of the MCP server (keboola-tools.md §2, ParamOp); a `set` of older
versions spells its value `new_val`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from kai_tui.conversation.json_text import copy_json
from kai_tui.conversation.redact import MASK
from kai_tui.conversation.reviews.call import Fields
from kai_tui.conversation.reviews.json_changes import step_path
from kai_tui.conversation.reviews.review import PathChange
from kai_tui.conversation.reviews.secret_values import is_secret, masked

JsonObject: TypeAlias = dict[str, Any]
Step: TypeAlias = str | int
EVERY: Final = "*"

_STEP: Final = re.compile(
    r"""\[(\d{1,9})\]|\[(\*)\]|\[(["'])([^"']+)\3\]|(["'])([^"']+)\5|([^.\[\]"'*?@()\s|&,$]+)|(\*)"""
)

_LONGEST_PATH: Final = 2000
"""Characters. Longer ones are no paths of a configuration, and working them out takes ever longer."""


class NotWorkedOut(ValueError):
    """What an operation makes of the present value cannot be said; the text says why."""


@dataclass(frozen=True, slots=True)
class Operation:
    op: str
    path: str
    value: Any
    search_for: str
    replace_with: str


def operations(given: Sequence[Fields]) -> list[Operation]:
    """The operations as the call has them."""
    return [
        Operation(
            op=each.text("op"),
            path=each.text("path"),
            value=each.value("value", "new_val", "new_value"),
            search_for=each.text("search_for"),
            replace_with=each.text("replace_with"),
        )
        for each in given
    ]


def listed(each: Operation, root: str) -> PathChange:
    """An operation as it stands, where the present value is not known. Secrets are hidden."""
    place = joined(root, each.path)
    key = _last_key(each.path)
    if each.op == "remove":
        return PathChange(place, "removes")
    if each.op == "str_replace":
        before, after = (_hide(key, text) for text in (each.search_for, each.replace_with))
        return PathChange(place, "replaces text", before=before, after=after)
    if each.op == "list_append":
        return PathChange(place, "appends", after=_hide(key, each.value))
    return PathChange(place, "sets", after=_hide(key, each.value))


def joined(root: str, path: str) -> str:
    """A path of an operation below a part of the configuration, for people."""
    bare = path.strip()
    bare = bare[1:].removeprefix(".") if bare.startswith("$") else bare
    if not bare:
        return root
    return f"{root}{bare}" if bare.startswith("[") or not root else f"{root}.{bare}"


def applied(parameters: JsonObject, given: Sequence[Operation]) -> JsonObject:
    """A changed copy of the parameters. Raises NotWorkedOut with a sentence."""
    changed: JsonObject = copy_json(parameters)
    for each in given:
        _apply(changed, each)
    return changed


def path_steps(path: str) -> list[Step]:
    """`a.b[0]["c d"].*` as steps, with or without `$` in front. Raises NotWorkedOut for other JSONPath."""
    bare = path.strip()
    if len(bare) > _LONGEST_PATH:
        raise NotWorkedOut(f"A path has {len(bare):,} characters.")
    at = 1 if bare.startswith("$") else 0
    at += bare[at : at + 1] == "."
    steps: list[Step] = []
    while at < len(bare):
        match = _STEP.match(bare, at)
        if match is None:
            raise NotWorkedOut(f"The path {path} is more than a plain path.")
        index, star, _, bracketed, _, in_quotes, name, wild = match.groups()
        if index is not None:
            steps.append(int(index))
        else:
            steps.append(EVERY if star or wild else bracketed or in_quotes or name or "")
        at = match.end()
        if bare[at : at + 1] == ".":
            at += 1
            if at == len(bare) or bare[at] == ".":
                raise NotWorkedOut(f"The path {path} is more than a plain path.")
        elif at < len(bare) and bare[at] != "[":
            raise NotWorkedOut(f"The path {path} is more than a plain path.")
    if not steps:
        raise NotWorkedOut("An operation has an empty path.")
    return steps


def _apply(root: JsonObject, each: Operation) -> None:
    steps = path_steps(each.path)
    places = _places(root, steps)
    if each.op == "set":
        if places:
            for holder, step in places:
                holder[step] = copy_json(each.value)
        else:
            _make(root, steps, each)
        return
    if each.op not in ("remove", "str_replace", "list_append"):
        raise NotWorkedOut(f"{each.op or 'An operation without a name'} is not known.")
    if not places:
        raise NotWorkedOut(f"There is nothing at {each.path} now.")
    if each.op == "remove":
        for holder, step in reversed(places):
            del holder[step]
    elif each.op == "list_append":
        for holder, step in places:
            if not isinstance(holder[step], list):
                raise NotWorkedOut(f"{each.path} is no list now.")
            holder[step].append(copy_json(each.value))
    else:
        _replace(places, each)


def _replace(places: Sequence[tuple[Any, Any]], each: Operation) -> None:
    if not each.search_for:
        raise NotWorkedOut(f"The text to replace in {each.path} is empty.")
    found = False
    for holder, step in places:
        text = holder[step]
        if not isinstance(text, str):
            raise NotWorkedOut(f"{each.path} is no text now.")
        found = found or each.search_for in text
        holder[step] = text.replace(each.search_for, each.replace_with)
    if not found:
        raise NotWorkedOut(f"The text to replace is not in {each.path} now.")


def _places(root: JsonObject, steps: Sequence[Step]) -> list[tuple[Any, Any]]:
    """The holders and last steps of everything a path points to."""
    here: list[Any] = [root]
    for step in steps[:-1]:
        here = [holder[each] for holder in here for each in _matches(holder, step)]
    return [(holder, each) for holder in here for each in _matches(holder, steps[-1])]


def _matches(holder: Any, step: Step) -> list[Any]:
    if isinstance(holder, dict):
        names = cast("JsonObject", holder)
        if step == EVERY:
            return list(names)
        return [step] if step in names else []
    if isinstance(holder, list):
        length = len(cast("list[Any]", holder))
        if step == EVERY:
            return list(range(length))
        return [step] if isinstance(step, int) and step < length else []
    return []


def _make(root: JsonObject, steps: Sequence[Step], each: Operation) -> None:
    """A value at a place that is not there yet: only below objects."""
    here: Any = root
    way: str = ""
    for step in steps[:-1]:
        way = step_path(way, step)
        if not isinstance(step, str) or step == EVERY or not isinstance(here, dict):
            raise NotWorkedOut(f"There is nothing at {each.path} now.")
        here = cast("JsonObject", here).setdefault(step, {})
    last = steps[-1]
    if not isinstance(last, str) or last == EVERY or not isinstance(here, dict):
        raise NotWorkedOut(f"There is nothing at {each.path} now.")
    here[last] = copy_json(each.value)


def _last_key(path: str) -> str:
    """The secret's name anywhere in the path, else its last name."""
    try:
        names = [step for step in path_steps(path) if isinstance(step, str)]
    except NotWorkedOut:
        names = re.findall(r"#?[\w-]+", path)
    return next((name for name in names if name.startswith("#")), names[-1] if names else "")


def _hide(key: str, value: Any) -> Any:
    return MASK if is_secret(key, value) else masked(value)

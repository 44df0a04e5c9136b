"""Calls that ask the user something: what they ask, and what is sent back (kai.md §4.10 `answers`).

The shape of questions and answers is not known of Kai. Read are those of our sandbox (`id`, `question`, `options`) and of
the Agent SDK's AskUserQuestion (`question`, `header`, `options` with labels, `multiSelect`; answers by the question's
text, several joined by commas). Whatever else comes is a call like any other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from kai_tui.conversation.events import JsonObject

_ASKING: Final = re.compile(
    r"(?:ask|askthe)?(?:user|human)(?:question|input|clarification|feedback)?s?|ask(?:followup)?questions?|clarify|elicit"
)
"""Whole names, without case and separators, of tools that do nothing but ask."""
_KNOWN: Final = frozenset({"questions", "title", "header", "reason", "justification", "metadata"})
"""What may stand beside the questions. With anything else in it, a call may do more than ask."""
_TEXTS: Final = ("question", "text", "prompt", "label")
_KEYS: Final = ("id", "name", "key")
_CHOICES: Final = ("options", "choices")
_MANY: Final = ("multiSelect", "multi_select", "multiple")
_LABELS: Final = ("label", "value", "name")
_ABOUTS: Final = ("description", "about")
_MOST: Final = 50
"""Questions, and options of one, that a form is made for."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One of the answers offered. All text is raw."""

    label: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. All text is raw."""

    key: str
    """What its answer is called."""
    text: str
    options: tuple[Offered, ...] = ()
    many: bool = False
    """Whether several options may be chosen."""
    joined: bool = False
    """Whether several answers go as one text."""
    header: str = ""


def questions(tool: str, input: Any) -> list[Question]:
    """What a call asks; empty when it is no such call, or asks in a way that is not known."""
    if not _asks(tool) or not isinstance(input, Mapping):
        return []
    arguments = cast("Mapping[str, Any]", input)
    asked: Any = arguments.get("questions")
    if not isinstance(asked, list) or not 0 < len(cast("list[Any]", asked)) <= _MOST:
        return []
    if any(name not in _KNOWN for name in arguments):
        return []
    found = [_question(each) for each in cast("list[Any]", asked)]
    read = [each for each in found if each is not None]
    distinct = len({each.key for each in read}) == len(read)
    return read if len(read) == len(found) and distinct else []


def besides(input: Any) -> JsonObject:
    """What a call that asks has in it besides what `questions` found, by where it stands."""
    rest: JsonObject = {}
    if not isinstance(input, Mapping):
        return rest
    for name, value in cast("Mapping[str, Any]", input).items():
        if name != "questions" or not isinstance(value, list):
            rest[name] = value
            continue
        for number, item in enumerate(cast("list[Any]", value)):
            if not isinstance(item, Mapping):
                rest[f"questions[{number}]"] = item
                continue
            each = cast("Mapping[str, Any]", item)
            place = f"questions[{number}]"
            used = _used(each, _TEXTS, _KEYS, _CHOICES, ("header",))
            flags = {key for key in _MANY if isinstance(each.get(key), bool)}
            rest.update({f"{place}.{key}": each[key] for key in each if key not in used | flags})
            options: Any = next((each[key] for key in _CHOICES if key in used), None)
            for at, option in enumerate(cast("list[Any]", options) if isinstance(options, list) else []):
                if isinstance(option, Mapping):
                    known = cast("Mapping[str, Any]", option)
                    shown = _used(known, _LABELS, _ABOUTS)
                    more = {f"{place}.options[{at}].{key}": known[key] for key in known if key not in shown}
                    rest.update(more)
    return {name: value for name, value in rest.items() if value not in ("", None)}


def answers(asked: Sequence[Question], given: Mapping[str, Sequence[str]]) -> JsonObject:
    """What is sent: the answers by their names, in the order of the questions. Those without one are left out."""
    sent: JsonObject = {}
    for question in asked:
        said = [each for each in given.get(question.key, ()) if each.strip()]
        if said and question.many and not question.joined:
            sent[question.key] = said
        elif said:
            sent[question.key] = ", ".join(said)
    return sent


def in_words(asked: Sequence[Question], sent: Mapping[str, Any]) -> str:
    """The answers as the reason of a No, for a server that takes no answers. Raw."""
    lines = [
        f"- {question.text.strip()} {_said(sent[question.key])}" for question in asked if question.key in sent
    ]
    return "\n".join(("I cannot answer in this tool. My answers:", *lines))


def _said(value: Any) -> str:
    return ", ".join(map(str, cast("list[Any]", value))) if isinstance(value, list) else str(value)


def _asks(tool: str) -> bool:
    name = re.sub(r"[\s_-]", "", tool.rsplit("__", 1)[-1]).lower()
    return name not in ("user", "human", "users", "humans") and _ASKING.fullmatch(name) is not None


def _question(value: Any) -> Question | None:
    if not isinstance(value, Mapping):
        return None
    each = cast("Mapping[str, Any]", value)
    text = _text(each, *_TEXTS)
    name = _text(each, *_KEYS)
    options = _options(next((each[key] for key in _CHOICES if each.get(key) is not None), None))
    if not text or options is None:
        return None
    many = any(each.get(key) is True for key in _MANY)
    return Question(name or text, text, options, many, joined=not name, header=_text(each, "header"))


def _options(value: Any) -> tuple[Offered, ...] | None:
    """None: nothing that can be offered."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(cast("list[Any]", value)) > _MOST:
        return None
    found: list[Offered] = []
    for each in cast("list[Any]", value):
        if isinstance(each, str):
            found.append(Offered(each))
        elif isinstance(each, Mapping):
            option = cast("Mapping[str, Any]", each)
            found.append(Offered(_text(option, *_LABELS), _text(option, *_ABOUTS)))
        elif isinstance(each, int | float):
            found.append(Offered(str(each)))
    labels = [each.label for each in found]
    if len(found) != len(cast("list[Any]", value)) or not all(labels) or len(set(labels)) != len(labels):
        return None
    return tuple(found)


def _used(value: Mapping[str, Any], *groups: Sequence[str]) -> set[str]:
    """Of each group the name whose value was taken."""
    found: set[str] = set()
    for names in groups:
        if names is _CHOICES:
            name = next((name for name in names if value.get(name) is not None), None)
        else:
            name = next((name for name in names if _text(value, name)), None)
        if name is not None:
            found.add(name)
    return found


def _text(value: Mapping[str, Any], *names: str) -> str:
    return next((text for name in names if isinstance(text := value.get(name), str) and text.strip()), "")

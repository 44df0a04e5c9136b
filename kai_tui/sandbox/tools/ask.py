"""The tool that asks the user (kai.md §4.10 `answers`). Kai's own shape is not known; this one is ours."""

from __future__ import annotations

from typing import Any, cast

from kai_tui.sandbox.project import NotPossible, Project
from kai_tui.sandbox.tools.base import Argument, JsonObject, Tool, objects

ANSWERS = "__answers"
"""Where a turn puts what the user answered; no argument of the call."""


def _ask_user(_project: Project, given: JsonObject) -> Any:
    answers = cast("JsonObject", given.get(ANSWERS) or {})
    asked = [str(each.get("id", "")) for each in objects(given, "questions")]
    found = {name: answers[name] for name in asked if name in answers}
    if not found:
        raise NotPossible("The user gave no answer.")
    return {"answers": found, "unanswered": [name for name in asked if name not in found]}


TOOLS: tuple[Tool, ...] = (
    Tool(
        "ask_user",
        "Ask the user one or several questions, each with its choices. Changes nothing in the project.",
        False,
        _ask_user,
        {"questions": Argument("objects", required=True)},
        asks=True,
    ),
)

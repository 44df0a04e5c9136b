"""Phases, tasks and conditions of a flow as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from kai_tui.conversation.reviews.call import Fields
from kai_tui.conversation.reviews.secret_values import short_json

_SIGNS: Final = {
    "EQUALS": "=",
    "NOT_EQUALS": "≠",
    "GREATER_THAN": ">",
    "LESS_THAN": "<",
    "AND": "and",
    "OR": "or",
    "INCLUDES": "includes",
    "CONTAINS": "contains",
}
_DEEPEST: Final = 20
Cells: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class FlowRow:
    key: tuple[str, str]
    """`phase` or `task`, and its id."""
    cells: Cells


def flow_rows(phases: Sequence[Fields], tasks: Sequence[Fields]) -> tuple[list[FlowRow], list[str]]:
    """The phases in the order they run, each with its tasks; and what is wrong with them."""
    names = {phase.text("id"): phase.text("name") or phase.text("id") for phase in phases}
    rows: list[FlowRow] = []
    problems: list[str] = []
    for phase in _in_order(phases):
        id = phase.text("id")
        phase.text("name")
        rows.append(FlowRow(("phase", id), (names[id], "", "", _phase_words(phase, names))))
        rows += [_task_row(task) for task in tasks if task.text("phase") == id]
    for task in tasks:
        if task.text("phase") not in names:
            row = _task_row(task)
            phase = task.text("phase") or "nothing"
            rows.append(FlowRow(row.key, (f"({phase})", *row.cells[1:])))
            problems.append(f"Task {row.cells[1]} is in phase {phase}, which is not listed.")
    return rows, problems


def _in_order(phases: Sequence[Fields]) -> list[Fields]:
    """By `dependsOn`; what cannot be ordered stays where it was."""
    done: set[str] = set()
    ordered: list[Fields] = []
    left = list(phases)
    known = {phase.text("id") for phase in phases}
    while left:
        ready = [each for each in left if {need for need in _needs(each) if need in known} <= done]
        if not ready:
            return [*ordered, *left]
        ordered += ready
        done |= {each.text("id") for each in ready}
        left = [each for each in left if each not in ready]
    return ordered


def _needs(phase: Fields) -> list[str]:
    return phase.texts("depends_on")


def _phase_words(phase: Fields, names: dict[str, str]) -> str:
    words: list[str] = []
    if needs := _needs(phase):
        words.append(f"after {', '.join(names.get(need, need) for need in needs)}")
    for step in phase.objects("next"):
        goto = step.text("goto")
        target = names.get(goto, goto) if goto else "the end"
        condition = step.value("condition")
        words.append(f"then {target}{f' if {condition_words(condition)}' if condition is not None else ''}")
    return " · ".join([*words, *_further(phase)])


def _task_row(task: Fields) -> FlowRow:
    how: list[str] = []
    if task.flag("enabled") is False:
        how.append("disabled")
    if task.flag("continue_on_failure"):
        how.append("goes on after a failure")
    runs = Fields(task.value("task"))
    what = runs_words(runs)
    how += [
        f"{name} {short_json(value)}"
        for name, value in runs.unread().items()
        if name not in ("type", "mode") or value not in ("job", "run", "notification", "variable")
    ]
    id = task.text("id")
    name = task.text("name") or id
    task.text("phase")
    how += _further(task)
    return FlowRow(("task", id or name), ("", name, what, " · ".join(how)))


def _further(fields: Fields) -> list[str]:
    """What has no column of its own: a change of it must show, too."""
    return [f"{name.replace('_', ' ')} {short_json(value)}" for name, value in fields.unread().items()]


def recipients(task: Fields) -> list[str]:
    """Whom a task of a flow writes to."""
    return [each.text("address") for each in Fields(task.value("task")).objects("recipients")]


def runs_words(task: Fields) -> str:
    """What a task runs, in a few words."""
    component = task.text("component_id")
    if component:
        config = task.text("config_id", "configuration_id")
        return f"{component} / {config}" if config else component
    if task.has("recipients"):
        who = ", ".join(each.text("address") for each in task.objects("recipients"))
        return f"notifies {who}: {task.text('title')}"
    if task.text("type") == "variable":
        source = task.value("source")
        value = condition_words(source) if source is not None else task.text("value")
        return f"sets {task.text('name')} to {value}"
    return ""


def condition_words(value: Any, depth: int = 0) -> str:
    """A condition of a conditional flow."""
    fields = Fields(value)
    kind = fields.text("type")
    if not fields.is_object or depth > _DEEPEST:
        return short_json(value)
    if kind in ("const", "constant"):
        return short_json(fields.value("value"))
    if kind in ("task", "phase"):
        return f"{fields.text('value')} of {kind} {fields.text(kind)}"
    if kind == "variable":
        return f"variable {fields.text('value', 'name')}"
    operands = [condition_words(each, depth + 1) for each in fields.list("operands") or []]
    operator = fields.text("operator", "function")
    if kind == "operator" and operands:
        if operator.endswith("_TASKS_IN_PHASE"):
            which = "all tasks" if operator.startswith("ALL") else "any task"
            return f"{which} in phase {fields.text('phase')}: {' and '.join(operands)}"
        joined = f" {_SIGNS.get(operator, operator)} ".join(operands)
        return f"({joined})" if depth and operator in ("AND", "OR") else joined
    if kind in ("function", "array") and operands:
        return f"{operator}({', '.join(operands)})"
    return short_json(value)

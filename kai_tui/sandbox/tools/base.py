"""What a tool is: a name, what it takes, whether it only reads, and what it does to the project."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

from kai_tui.sandbox.project import Project

JsonObject: TypeAlias = dict[str, Any]
Kind: TypeAlias = Literal["string", "strings", "object", "objects", "integer", "boolean"]

ADMIN_URL = "https://sandbox.kai-tui.invalid/admin/projects/2026"
"""Where the links of outputs point: a host that does not exist."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a tool. An absent one and null are the same unless it is required."""

    kind: Kind
    required: bool = False
    choices: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `run` raises NotPossible when the project cannot do it."""

    name: str
    description: str
    read_only: bool
    run: Callable[[Project, JsonObject], Any]
    arguments: Mapping[str, Argument] = field(default_factory=dict[str, Argument])
    asks: bool = False
    """Whether it asks the user questions; what they answered comes with the decision (kai.md §4.10)."""

    def problem(self, given: Any) -> str | None:
        """What is wrong with an input, or None. Unknown arguments are left alone, as the server does."""
        if not isinstance(given, dict):
            return f"Invalid input for tool {self.name}: an object is expected."
        values = cast("JsonObject", given)
        faults: list[str] = []
        for name, argument in self.arguments.items():
            value = values.get(name)
            if value is None:
                if argument.required:
                    faults.append(f"{name}: required")
            elif not _fits(argument.kind, value):
                faults.append(f"{name}: {_WORDS[argument.kind]} expected")
            elif argument.choices and value not in argument.choices:
                faults.append(f"{name}: one of {', '.join(argument.choices)} expected")
        return f"Invalid input for tool {self.name}: {'; '.join(faults)}." if faults else None


_WORDS: Mapping[Kind, str] = {
    "string": "text",
    "strings": "a list of texts",
    "object": "an object",
    "objects": "a list of objects",
    "integer": "a whole number",
    "boolean": "true or false",
}


def _fits(kind: Kind, value: Any) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "object":
        return isinstance(value, dict)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "boolean":
        return isinstance(value, bool)
    if not isinstance(value, list):
        return False
    inner = str if kind == "strings" else dict
    return all(isinstance(item, inner) for item in cast("list[Any]", value))


def link(title: str, path: str) -> JsonObject:
    """One entry of an output's `links`."""
    return {"type": "ui-detail", "title": title, "url": f"{ADMIN_URL}/{path}"}


def texts(values: JsonObject, name: str) -> list[str]:
    """A checked argument of kind `strings`; empty when absent."""
    return list(values.get(name) or [])


def objects(values: JsonObject, name: str) -> list[JsonObject]:
    """A checked argument of kind `objects`; empty when absent."""
    return list(values.get(name) or [])

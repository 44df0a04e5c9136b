"""What an update would make of a configuration, as the MCP server computes it (keboola-tools.md §5). Changes nothing."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

from kai_tui.conversation.json_text import copy_json
from kai_tui.sandbox import configs, stored
from kai_tui.sandbox.parameters import apply_operations
from kai_tui.sandbox.project import Project
from kai_tui.sandbox.tools import TOOLS

JsonObject: TypeAlias = dict[str, Any]

PREVIEWED = ("update_config",)
"""The tools of the sandbox that the MCP server has a preview for."""


def preview(project: Project, tool: Any, given: Any) -> JsonObject | None:
    """The answer of `POST /preview/configuration`; None for a tool it does not compute."""
    if tool not in PREVIEWED:
        return None
    problem = TOOLS[tool].problem(given)
    values = cast("JsonObject", given) if isinstance(given, dict) else {}
    key = (str(values.get("component_id", "")), str(values.get("configuration_id", "")))
    coordinates = {"componentId": key[0], "configurationId": key[1]}
    if problem is not None:
        return _invalid(coordinates, problem)
    old = configs.config(project, key)
    if old is None:
        return _invalid(coordinates, f"There is no configuration {key[1]} of {key[0]}.")
    new: JsonObject = copy_json(old)
    try:
        new["parameters"] = apply_operations(old["parameters"], values.get("parameter_updates") or [])
    except ValueError as error:
        return _invalid(coordinates, str(error))
    if values.get("storage") is not None:
        new["storage"] = copy_json(values["storage"])
    for name in ("name", "description", "change_description"):
        new[name] = values.get(name) or old[name]
    return {
        "coordinates": coordinates,
        "originalConfig": stored.shown(old),
        "updatedConfig": stored.shown(new),
        "isValid": True,
    }


def _invalid(coordinates: JsonObject, why: str) -> JsonObject:
    return {"coordinates": coordinates, "isValid": False, "validationErrors": [why]}

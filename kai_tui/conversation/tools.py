"""The tools Kai calls: what they do, what to call them, which argument matters.

Names and marks are those of the Keboola MCP server (protocols/keboola-tools.md §1-§3). Everything
works for unknown names too: those count as writing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, cast

Mark: TypeAlias = Literal["R", "W", "D"]
"""R only reads, W creates and overwrites nothing, D changes, deletes, starts or stops something."""

Risk: TypeAlias = Literal["reads", "creates", "changes", "unknown"]

MARKS: Final[Mapping[str, Mark]] = {
    "update_descriptions": "D",
    "update_project_description": "D",
    "run_job": "D",
    "create_bucket": "W",
    "create_config": "W",
    "add_config_row": "W",
    "update_config": "D",
    "update_config_row": "D",
    "create_sql_transformation": "W",
    "update_sql_transformation": "D",
    "create_flow": "W",
    "create_conditional_flow": "W",
    "update_flow": "D",
    "modify_flow": "D",
    "modify_streamlit_data_app": "D",
    "modify_data_app": "D",
    "modify_python_js_data_app": "D",
    "delete_python_js_data_app_draft": "D",
    "deploy_data_app": "W",
    "create_python_js_data_app_git_credential": "W",
    "create_oauth_url": "D",
    "link_shared_bucket": "W",
    "get_project_info": "R",
    "get_buckets": "R",
    "get_tables": "R",
    "get_shared_buckets": "R",
    "query_data": "R",
    "get_components": "R",
    "get_component": "R",
    "get_configs": "R",
    "get_config": "R",
    "list_configs": "R",
    "get_config_examples": "R",
    "run_sync_action": "R",
    "get_flows": "R",
    "get_flow": "R",
    "get_flow_schema": "R",
    "get_flow_examples": "R",
    "get_jobs": "R",
    "get_data_apps": "R",
    "docs_query": "R",
    "find_component_id": "R",
    "search": "R",
    "get_semantic_context": "R",
    "get_semantic_schema": "R",
    "search_semantic_context": "R",
    "validate_semantic_query": "R",
}
"""`create_bucket` is in no list of the MCP server; Kai's tests and our sandbox have it.
Kai's own `request_credentials`, `fetch_website` and `search_internet` have no known mark."""

_RISKS: Final[Mapping[Mark, Risk]] = {"R": "reads", "W": "creates", "D": "changes"}

_SPELLINGS: Final[Mapping[str, str]] = {
    "api": "API",
    "id": "ID",
    "js": "JS",
    "oauth": "OAuth",
    "sql": "SQL",
    "url": "URL",
}
_WORD_ENDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s_.:/-]+")

# For each tool the arguments that say what a call is about: the first row with a value is taken,
# the values of a row are joined. A dot goes into the objects of a list.
_HEADLINES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "query_data": (("sql_query",), ("query_name",)),
    "update_descriptions": (("updates.item_id",),),
    "update_project_description": (("description",),),
    "run_job": (("component_id", "configuration_id"),),
    "add_config_row": (("name",), ("component_id", "configuration_id")),
    "update_config": (("component_id", "configuration_id"),),
    "update_config_row": (("component_id", "configuration_id", "configuration_row_id"),),
    "update_sql_transformation": (("configuration_id",),),
    "update_flow": (("configuration_id",),),
    "modify_flow": (("configuration_id",),),
    "modify_streamlit_data_app": (("name",), ("configuration_id",)),
    "modify_data_app": (("name",), ("configuration_id",)),
    "modify_python_js_data_app": (("name",), ("configuration_id",)),
    "deploy_data_app": (("action", "configuration_id"),),
    "create_oauth_url": (("component_id", "config_id"),),
    "link_shared_bucket": (("source_bucket_id", "target_bucket_name"),),
    "get_buckets": (("bucket_ids",),),
    "get_tables": (("table_ids",), ("bucket_ids",)),
    "get_components": (("component_ids",),),
    "get_configs": (
        ("configs.configuration_id",),
        ("component_ids",),
        ("component_types",),
    ),
    "get_config_examples": (("component_id",),),
    "run_sync_action": (("action_name", "component_id", "configuration_id"),),
    "get_flows": (("flow_ids",),),
    "get_jobs": (("job_ids",), ("component_id", "config_id", "status")),
    "get_data_apps": (("configuration_ids",),),
    "docs_query": (("query",),),
    "find_component_id": (("query",),),
    "search": (("patterns",),),
    "validate_semantic_query": (("sql_query",),),
    "fetch_website": (("url",),),
    "search_internet": (("query",),),
}
_USUAL: Final = (("name",), ("configuration_id",), ("component_id",))
_NOT_THE_SUBJECT: Final = frozenset({"justification", "change_description", "changeDescription"})
_SHORT: Final = 200
"""Longest value, in characters, that is taken for the subject of an unknown tool."""


def risk(name: str, read_only: bool | None = None) -> Risk:
    """What a call may do. `read_only`: the server's own mark, which wins (kai.md §4.12).

    "unknown" is to be treated as writing.
    """
    if read_only:
        return "reads"
    mark = MARKS.get(name)
    if mark is None or (mark == "R" and read_only is False):
        return "unknown"
    return _RISKS[mark]


def title(name: str) -> str:
    """A tool's name in words: `update_descriptions` → "Update descriptions". Foreign names stay raw text."""
    words = [_SPELLINGS.get(word.lower(), word) for word in _WORD_ENDS.split(name) if word]
    if not words:
        return name
    first = words[0]
    rest = [word.lower() if word.istitle() else word for word in words[1:]]
    return " ".join([first[:1].upper() + first[1:], *rest])


def headline(name: str, input: Any) -> str:
    """The one argument that says what a call is about, raw and whole; empty when there is none."""
    if isinstance(input, str):
        return input
    if not isinstance(input, Mapping):
        return ""
    arguments = cast("Mapping[str, Any]", input)
    for row in (*_HEADLINES.get(name, ()), *_USUAL):
        found = [text for path in row if (text := _said(arguments, path))]
        if found:
            return " / ".join(found)
    return _first_short_text(arguments)


def _said(arguments: Mapping[str, Any], path: str) -> str:
    key, _, inner = path.partition(".")
    value = arguments.get(key)
    if isinstance(value, list | tuple):
        items = [_inside(item, inner) for item in cast("Sequence[Any]", value)]
        return ", ".join(item for item in items if item)
    return _inside(value, inner)


def _inside(value: Any, key: str) -> str:
    if key and isinstance(value, Mapping):
        value = cast("Mapping[str, Any]", value).get(key)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _names_a_secret(key: str) -> bool:
    """What stands there is no name of anything, and headings are kept in places of their own."""
    name = key.lower()
    return any(word in name for word in ("token", "secret", "passw", "passphrase", "credential", "key"))


def _first_short_text(arguments: Mapping[str, Any]) -> str:
    for key, value in arguments.items():
        if (
            isinstance(value, str)
            and 0 < len(value) <= _SHORT
            and key not in _NOT_THE_SUBJECT
            and not key.startswith("#")
            and not _names_a_secret(key)
        ):
            return value
    return ""

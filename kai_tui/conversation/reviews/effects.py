"""What a call does to the project, by the tool's name and the server's own mark.

The marks of the MCP server are about its data model: they call `stop` of an app harmless and the making of a
sign-in link destructive (keboola-tools.md §2). Here it is said as it is for the one who decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from kai_tui.conversation.reviews.older_names import name_today
from kai_tui.conversation.reviews.review import Effect
from kai_tui.conversation.tools import MARKS

_KNOWN: Final[Mapping[str, tuple[Effect, ...]]] = {
    "run_job": ("runs", "costs"),
    "delete_python_js_data_app_draft": ("destroys",),
    "deploy_data_app": ("deploys",),
    "create_oauth_url": ("creates",),
    "run_sync_action": ("runs",),
}
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s_.:/-]+")
_DESTROY: Final = frozenset(
    [
        "delete",
        "remove",
        "drop",
        "truncate",
        "purge",
        "destroy",
        "wipe",
        "erase",
        "revoke",
        "reset",
        "unlink",
        "clear",
        "empty",
        "detach",
        "uninstall",
        "force",
        "overwrite",
        "rollback",
    ]
)
_DEPLOY: Final = frozenset(
    ["deploy", "publish", "release", "undeploy", "unpublish", "stop", "suspend", "restart", "shutdown"]
)
_RUN: Final = frozenset(
    [
        "run",
        "execute",
        "exec",
        "trigger",
        "start",
        "launch",
        "call",
        "invoke",
        "send",
        "schedule",
        "resume",
        "retry",
    ]
)
_LOOK: Final = frozenset(
    ["get", "list", "show", "read", "find", "search", "query", "describe", "fetch", "view", "check", "count"]
)


def effects_of(tool: str, read_only: bool | None) -> tuple[Effect, ...]:
    """What a tool does. `read_only` is the server's own mark (kai.md §4.12).

    A mark of the server never makes a tool harmless that is known to write, or that calls itself `delete_…`;
    a tool nobody knows anything about is "unknown".
    """
    tool = name_today(tool)
    known = _KNOWN.get(tool)
    if known is not None:
        return known
    mark = MARKS.get(tool)
    if mark == "D":
        return ("changes",)
    if mark == "W":
        return ("creates",)
    if mark == "R":
        return ("unknown",) if read_only is False else ("reads",)
    words = {word.lower() for word in _WORDS.split(tool)}
    if words & _DESTROY:
        return ("destroys",)
    if read_only:
        return ("reads",)
    if words & _LOOK:
        return ("unknown",)
    if words & _DEPLOY:
        return ("deploys",)
    return ("unknown", "runs") if words & _RUN else ("unknown",)


def contradicts(tool: str, read_only: bool | None) -> bool:
    """Whether the server says a tool only reads of which something else is known."""
    return read_only is True and effects_of(tool, read_only) != ("reads",) and tool != "run_sync_action"

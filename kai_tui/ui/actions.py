"""ONE registry of what a user can do: keys, command palette, footer hints, help screen and README table.

Keys keep clear of what a text field uses (ctrl+a, d, e, k, u, v, w, x, y, z and F5-F7 belong to
Textual's TextArea) and of what terminals send for other keys (ctrl+h, i, j, m). Every key that a
multiplexer or an editor's terminal may keep for itself (ctrl+b, ctrl+p, F1) has a second one.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from kai_tui.ui.action import BOUND_SCOPES as BOUND_SCOPES
from kai_tui.ui.action import GROUPS as GROUPS
from kai_tui.ui.action import Action as Action
from kai_tui.ui.action import Group as Group
from kai_tui.ui.action import Scope as Scope
from kai_tui.ui.actions_agents import AGENTS
from kai_tui.ui.actions_approvals import APPROVALS
from kai_tui.ui.actions_blocks import BLOCKS
from kai_tui.ui.actions_chats import CHATS
from kai_tui.ui.actions_program import PROGRAM
from kai_tui.ui.actions_reading import READING
from kai_tui.ui.actions_server import SERVER
from kai_tui.ui.actions_writing import WRITING

ACTIONS: tuple[Action, ...] = (*WRITING, *READING, *BLOCKS, *CHATS, *AGENTS, *APPROVALS, *SERVER, *PROGRAM)

_BY_NAME = {action.name: action for action in ACTIONS}


def action(name: str) -> Action:
    """The action of that name.

    Raises:
        KeyError: no such action.
    """
    return _BY_NAME[name]


def bindings(scope: Scope) -> list[BindingType]:
    """Bindings for the app or a screen; the binding's id is the action's name, so keymaps can change it."""
    return [
        Binding(
            ",".join(item.keys),
            item.name,
            item.label,
            show=False,
            priority=item.priority,
            id=item.name,
        )
        for item in ACTIONS
        if item.scope == scope and item.keys and scope in BOUND_SCOPES
    ]


def for_palette(scopes: Iterable[Scope]) -> list[Action]:
    """What the command palette offers where these scopes are heard."""
    wanted = set(scopes)
    return [item for item in ACTIONS if item.palette and item.scope in wanted]

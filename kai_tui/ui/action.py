"""What an action is; `actions.py` is the registry of all."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Scope: TypeAlias = Literal["app", "start", "chat", "composer", "transcript", "chats", "approval"]
"""Where the keys work. `app`, `start` and `chat` are bound by the app and its screens; in the others
the widget that has the focus listens itself, and the registry only tells people about it."""

Group: TypeAlias = Literal["Writing", "Reading", "Chats", "Approvals", "Program"]

GROUPS: tuple[Group, ...] = ("Writing", "Reading", "Chats", "Approvals", "Program")
BOUND_SCOPES: tuple[Scope, ...] = ("app", "start", "chat")


class Action(NamedTuple):
    """One thing a user can do. `name` is stable: keymaps, documentation and tests use it."""

    name: str
    label: str
    """Two or three words, for palette and footer."""
    help: str
    """One sentence."""
    group: Group
    scope: Scope
    keys: tuple[str, ...] = ()
    """Textual's key names; the first is the one shown in hints."""
    palette: bool = False
    """Whether the command palette offers it."""
    priority: bool = False
    """Whether the key is heard before the widget that has the focus."""
    hint: str = ""
    """A word for the footer; empty: not shown there."""
    command: str = ""
    """The words that run it behind a `/` in the prompt: `new`, `vote up`. Empty: it is no command."""
    argument: str = ""
    """What may stand behind the command: `up|down` are the words there are, `words` says what to write."""
    needs_argument: bool = False
    """Whether the command does nothing without its argument."""

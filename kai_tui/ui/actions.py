"""ONE registry of what a user can do: keys, command palette, footer hints, help screen and README table.

Keys keep clear of what a text field uses (ctrl+a, d, e, k, u, v, w, x, y, z and F5-F7 belong to
Textual's TextArea) and of what terminals send for other keys (ctrl+h, i, j, m). Every key that a
multiplexer or an editor's terminal may keep for itself (ctrl+b, ctrl+p, F1) has a second one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from textual.binding import Binding, BindingType

Scope: TypeAlias = Literal["app", "start", "chat", "composer", "transcript", "chats", "approval"]
"""Where the keys work. `app`, `start` and `chat` are bound by the app and its screens; in the others
the widget that has the focus listens itself, and the registry only tells people about it."""

Group: TypeAlias = Literal["Writing", "Reading", "Chats", "Approvals", "Program"]

GROUPS: tuple[Group, ...] = ("Writing", "Reading", "Chats", "Approvals", "Program")
BOUND_SCOPES: tuple[Scope, ...] = ("app", "start", "chat")


@dataclass(frozen=True, slots=True)
class Action:
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


ACTIONS: tuple[Action, ...] = (
    # Writing
    Action(
        "send",
        "Send",
        "Send the message; while a reply streams it waits in the queue.",
        "Writing",
        "composer",
        ("enter",),
    ),
    Action(
        "new_line",
        "New line",
        "Start a new line. Shift+Enter works too where the terminal can tell it apart; a \\ before Enter works everywhere.",
        "Writing",
        "composer",
        ("ctrl+j", "shift+enter"),
    ),
    Action(
        "recall",
        "Earlier messages",
        "On the first line: bring back what you sent before.",
        "Writing",
        "composer",
        ("up", "down"),
    ),
    Action(
        "stop_reply",
        "Stop the reply",
        "Stop the reply that streams; what came stays. Otherwise: back to writing.",
        "Writing",
        "chat",
        ("escape",),
        palette=True,
    ),
    Action(
        "copy_or_stop",
        "Copy or stop",
        "Copy what is selected. With nothing selected: stop the reply; twice when nothing runs: quit.",
        "Writing",
        "chat",
        ("ctrl+c",),
    ),
    Action(
        "edit_queued",
        "Edit what waits",
        "Take back the messages that wait to be sent, into the prompt.",
        "Writing",
        "chat",
        ("alt+up",),
        palette=True,
    ),
    Action(
        "retry_unsent",
        "Send again",
        "Send a message again that did not reach the server, r works while reading.",
        "Writing",
        "chat",
        ("ctrl+s", "r"),
        palette=True,
    ),
    # Reading
    Action(
        "page_up",
        "Scroll up",
        "Scroll the conversation up, also while writing.",
        "Reading",
        "chat",
        ("pageup",),
    ),
    Action(
        "page_down",
        "Scroll down",
        "Scroll the conversation down.",
        "Reading",
        "chat",
        ("pagedown",),
    ),
    Action(
        "jump_to_start",
        "Go to the start",
        "Go to the first message.",
        "Reading",
        "chat",
        ("ctrl+home",),
        palette=True,
    ),
    Action(
        "jump_to_end",
        "Go to the end",
        "Go to the newest line and follow the reply again.",
        "Reading",
        "chat",
        ("ctrl+end",),
        palette=True,
    ),
    Action(
        "browse",
        "Read and unfold",
        "Move through the conversation with the arrow keys; again (or Esc): back to writing.",
        "Reading",
        "chat",
        ("ctrl+o",),
        palette=True,
    ),
    Action(
        "fold",
        "Unfold or fold",
        "Open or close the tool call, thought or long block under the cursor.",
        "Reading",
        "transcript",
        ("enter", "space"),
    ),
    Action("copy_block", "Copy block", "Copy the block under the cursor.", "Reading", "transcript", ("c",)),
    Action(
        "vote_up",
        "Good answer",
        "While reading: tell the server that the answer helped.",
        "Reading",
        "chat",
        ("plus",),
        palette=True,
    ),
    Action(
        "vote_down",
        "Bad answer",
        "While reading: tell the server that the answer did not help.",
        "Reading",
        "chat",
        ("minus",),
        palette=True,
    ),
    # Chats
    Action(
        "new_chat",
        "New chat",
        "Start a new chat; the draft of this one is kept.",
        "Chats",
        "chat",
        ("ctrl+n",),
        palette=True,
        hint="new",
    ),
    Action(
        "toggle_chats",
        "List of chats",
        "Show the list of chats and go there; again: hide it.",
        "Chats",
        "chat",
        ("ctrl+b", "f2"),
        palette=True,
        hint="chats",
    ),
    Action("open_chat", "Open", "Open the chat under the cursor.", "Chats", "chats", ("enter",)),
    Action("search_chats", "Search", "Find a chat by its title.", "Chats", "chats", ("slash",)),
    Action(
        "delete_chat", "Delete this chat", "Delete the chat, after asking.", "Chats", "chat", palette=True
    ),
    Action(
        "delete_listed",
        "Delete",
        "Delete the chat under the cursor, after asking.",
        "Chats",
        "chats",
        ("d", "delete"),
    ),
    Action(
        "refresh_chats",
        "Refresh the list of chats",
        "Ask the server for the list again.",
        "Chats",
        "chat",
        palette=True,
    ),
    # Approvals
    Action(
        "review_waiting",
        "Answer a waiting question",
        "Open the question of the assistant that you put off or that waits in another chat.",
        "Approvals",
        "app",
        ("ctrl+r", "f3"),
        palette=True,
    ),
    Action(
        "choose",
        "Choose an answer",
        "Move between Deny, Approve and Deny with a reason. Deny has the focus first.",
        "Approvals",
        "approval",
        ("right", "left", "tab"),
    ),
    Action(
        "decide",
        "Decide",
        "Take the chosen answer. Nothing is taken in the first half second of quiet, and Approve only after the last line of the arguments was on screen.",
        "Approvals",
        "approval",
        ("enter",),
    ),
    Action(
        "scroll_arguments",
        "Read the arguments",
        "Scroll the arguments of the call.",
        "Approvals",
        "approval",
        ("down", "up", "pagedown", "pageup", "end", "home"),
    ),
    Action(
        "decide_later",
        "Decide later",
        "Close the question; it keeps waiting and nothing happens meanwhile.",
        "Approvals",
        "approval",
        ("escape",),
    ),
    # Program
    Action(
        "open_palette",
        "Everything you can do",
        "Find any command by its name.",
        "Program",
        "app",
        ("ctrl+p", "f4"),
        hint="commands",
    ),
    Action(
        "show_help",
        "Help",
        "Show all keys and what the sandbox is.",
        "Program",
        "app",
        ("f1", "ctrl+g", "question_mark"),
        palette=True,
        hint="help",
    ),
    Action(
        "switch_account",
        "Accounts",
        "Change to another project or to the sandbox, sign in, sign out.",
        "Program",
        "app",
        ("ctrl+l",),
        palette=True,
    ),
    Action(
        "sign_in",
        "Sign in to Kai",
        "Add a project with its address and a token.",
        "Program",
        "app",
        palette=True,
    ),
    Action("reconnect", "Connect again", "Try to reach the server again.", "Program", "chat", palette=True),
    Action(
        "toggle_theme",
        "Light or dark",
        "Change between the light and the dark theme.",
        "Program",
        "app",
        ("ctrl+t",),
        palette=True,
    ),
    Action(
        "quit",
        "Quit",
        "Leave. Drafts and the reply so far are kept.",
        "Program",
        "app",
        ("ctrl+q",),
        palette=True,
        priority=True,
        hint="quit",
    ),
)

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

"""What each action needs of the system one talks to. What is not there is not offered, and says so when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from kai_tui.backends.capabilities import Capabilities
from kai_tui.services.naming import is_kai

if TYPE_CHECKING:
    from kai_tui.services.account import Account


class Need:
    """Whether it is there, and a sentence about it when it is not; `{}` in it is the assistant's name."""

    def __init__(self, there: Callable[[Capabilities], bool], without: str) -> None:
        self.there = there
        self.without = without


_VOTES = Need(lambda caps: caps.votes, "{} takes no votes.")
_QUESTIONS = Need(
    lambda caps: caps.approval != "none", "{} asks nothing before it acts: it has no tools here."
)
_FILES = Need(lambda caps: caps.attachments, "{} takes no files with a message.")
_RESTORE = Need(lambda caps: caps.restore, "{} does not bring deleted chats back.")
_DELETE = Need(lambda caps: caps.delete, "{} cannot delete chats.")

NEEDS: Final[Mapping[str, Need]] = {
    "vote_up": _VOTES,
    "vote_down": _VOTES,
    "review_waiting": _QUESTIONS,
    "choose": _QUESTIONS,
    "decide": _QUESTIONS,
    "scroll_arguments": _QUESTIONS,
    "decide_later": _QUESTIONS,
    "show_grants": _QUESTIONS,
    "revoke_grants": _QUESTIONS,
    "toggle_read_only": _QUESTIONS,
    "undo_change": _QUESTIONS,
    "answer_left_open": Need(
        lambda caps: caps.tool_results, "{} cannot be answered that way. Write a new message instead."
    ),
    "attach_file": _FILES,
    "detach_file": _FILES,
    "delete_chat": _DELETE,
    "delete_listed": _DELETE,
    "delete_all_chats": Need(lambda caps: caps.delete_all, "{} deletes chats only one by one."),
    "restore_chat": _RESTORE,
    "deleted_chats": _RESTORE,
    "chat_terms": Need(
        lambda caps: caps.visibility or caps.read_only_chats or caps.context_path,
        "{} has nothing to choose for a chat.",
    ),
    "look_again": Need(
        lambda caps: caps.history == "server" or caps.takes_up,
        "{} keeps no chats: this computer has all there is of this one.",
    ),
    "refresh_chats": Need(
        lambda caps: caps.history == "server", "{} keeps no chats: they are on this computer."
    ),
    "show_tokens": Need(lambda caps: caps.tokens, "{} does not tell how many tokens a chat uses."),
    "edit_instructions": Need(lambda caps: caps.settings, "{} has no instructions to edit."),
    "tool_permissions": Need(lambda caps: caps.tool_permissions, "{} has no tool permissions."),
}

KAI_AT_FIRST: Final = Capabilities(
    approval="side-request", votes=True, visibility=True, read_only_chats=True, context_path=True, usage=True
)
"""What Kai has as a rule, while it is not known which Kai answers."""
NOTHING_YET: Final = Capabilities(approval="none", delete=False, tokens=False)
"""Of another system nothing is offered before it is open, which takes a moment."""


def known_caps(account: Account, caps: Capabilities | None) -> Capabilities:
    """What can be offered now."""
    return caps if caps is not None else KAI_AT_FIRST if is_kai(account) else NOTHING_YET


def is_there(action: str, caps: Capabilities) -> bool:
    """Whether the system has what an action needs."""
    need = NEEDS.get(action)
    return need is None or need.there(caps)


def without(action: str, name: str) -> str:
    """One sentence: why it cannot be done here. `name` is the assistant's."""
    return NEEDS[action].without.format(name)

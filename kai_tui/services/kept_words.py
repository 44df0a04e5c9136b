"""What is said of chats that no server keeps: nothing about them can be looked up."""

from __future__ import annotations


def cannot_check(system: str) -> str:
    """Why it is not known whether a message arrived."""
    return f"{system} keeps no chats, so this cannot be checked"


def nothing_to_look_for(system: str) -> str:
    """Why looking again finds nothing."""
    return (
        f"{system} keeps no chats, so there is nothing to look for there: you see all that came, kept on"
        " this computer."
    )


def not_known(system: str) -> str:
    """A call is asked about once more, because its first answer may have arrived."""
    return (
        f"Your first answer may have arrived. {system} keeps no chats, so this cannot be checked: the assistant"
        " may get a second one."
    )

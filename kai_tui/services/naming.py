"""What the assistant of an account is called in sentences: Kai, or the name of its system."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kai_tui.backends.system import System
    from kai_tui.services.account import Account

KAI = "Kai"
IT = "The assistant"
"""Of a system this version does not know."""


def is_kai(account: Account) -> bool:
    """Whether it is Keboola's own assistant, or the built-in one that stands in for it."""
    return account.kind in ("kai", "sandbox")


def system_of(account: Account) -> System | None:
    """The system of an account; None for Kai, the sandbox, and a system of a newer version."""
    if is_kai(account):
        return None
    from kai_tui.backends import systems

    try:
        return systems.system_of(account.kind)
    except (KeyError, ImportError):
        return None


def assistant_name(account: Account) -> str:
    """For sentences: “… may still be working on the server”."""
    if is_kai(account):
        return KAI
    system = system_of(account)
    return system.title if system is not None else IT


def short_name(account: Account) -> str:
    """For the margin beside its answers: nine letters at most."""
    if is_kai(account):
        return KAI
    system = system_of(account)
    return (system.short or system.title) if system is not None else "Assistant"


def lacks_of(account: Account) -> tuple[str, ...]:
    """What its system cannot do that others can, a sentence each; nothing for Kai."""
    system = system_of(account)
    return system.lacks if system is not None else ()

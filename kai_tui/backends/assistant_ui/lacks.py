"""What the contract does not have (§16, §18): `caps` says so, and whoever asks all the same is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kai_tui.backends.base import (
    Permission,
    Quota,
    Suggestion,
    ToolInfo,
    Unsupported,
    Whose,
)
from kai_tui.backends.without_extras import WithoutExtras


def _lacks(what: str) -> Unsupported:
    return Unsupported(f"Assistant UI servers have no {what}.")


class Lacks(WithoutExtras):
    """What does not exist."""

    async def vote(self, chat_id: str, message_id: str, up: bool) -> None:
        raise _lacks("votes")

    async def votes(self, chat_id: str) -> Mapping[str, bool]:
        raise _lacks("votes")

    async def tools(self) -> Sequence[ToolInfo]:
        """Empty: a server does not tell its tools."""
        return ()

    async def quota(self) -> Quota:
        raise _lacks("usage figures")

    async def instructions(self, whose: Whose) -> str:
        raise _lacks("instructions of their own: the system prompt is among the account's settings")

    async def set_instructions(self, whose: Whose, text: str) -> str:
        raise _lacks("instructions of their own: the system prompt is among the account's settings")

    async def permissions(self) -> Sequence[ToolInfo]:
        raise _lacks("tool permissions")

    async def set_permissions(self, permissions: Mapping[str, Permission] | None) -> Mapping[str, str]:
        raise _lacks("tool permissions")

    async def suggestions(self) -> Sequence[Suggestion]:
        raise _lacks("suggestions")

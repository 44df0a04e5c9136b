"""What iMBRACE does not have, or has only in an agent's setup: refused before anything is sent."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Final

from kai_tui.backends.base import (
    ChatTerms,
    Permission,
    Quota,
    ToolAnswer,
    ToolInfo,
    Unsupported,
    Whose,
)
from kai_tui.conversation.events import Event
from kai_tui.conversation.messages import Message

_USUAL_TERMS: Final = ChatTerms()


class ImbraceLacks:
    """The part of `Backend` that iMBRACE refuses."""

    async def answer_by_tool_result(
        self, chat_id: str, message: Message, answer: ToolAnswer, *, terms: ChatTerms = _USUAL_TERMS
    ) -> AsyncGenerator[Event, None]:
        """iMBRACE has no such thing."""
        raise Unsupported("iMBRACE takes no tool results.")
        yield  # pragma: no cover

    async def tools(self) -> Sequence[ToolInfo]:
        """Which tools there are is the agent's setup; a client cannot know (§6)."""
        return ()

    async def quota(self) -> Quota:
        """iMBRACE does not tell."""
        raise Unsupported("iMBRACE does not tell how many messages are left.")

    async def instructions(self, whose: Whose) -> str:
        """They belong to the agent's setup."""
        raise Unsupported("Instructions belong to the agent; they are changed in iMBRACE.")

    async def set_instructions(self, whose: Whose, text: str) -> str:
        """They belong to the agent's setup."""
        raise Unsupported("Instructions belong to the agent; they are changed in iMBRACE.")

    async def permissions(self) -> Sequence[ToolInfo]:
        """They belong to the agent's setup."""
        raise Unsupported("What tools may do belongs to the agent; it is changed in iMBRACE.")

    async def set_permissions(self, permissions: Mapping[str, Permission] | None) -> Mapping[str, str]:
        """They belong to the agent's setup."""
        raise Unsupported("What tools may do belongs to the agent; it is changed in iMBRACE.")

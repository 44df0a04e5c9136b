"""What assistants that only talk do not have: tools to approve, quotas, instructions, votes.

A base of adapters, so that each one's own file says what it can do and not what it cannot.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import NoReturn

from kai_tui.backends.base import (
    ChatTerms,
    Permission,
    Quota,
    Suggestion,
    ToolAnswer,
    ToolInfo,
    Unsupported,
    Whose,
)
from kai_tui.backends.without_extras import WithoutExtras
from kai_tui.conversation.events import Event
from kai_tui.conversation.messages import Message

_USUAL_TERMS = ChatTerms()


class PlainChat(WithoutExtras):
    """The part of `Backend` that such an assistant refuses, before anything is sent."""

    system: str
    """Its name, for sentences."""

    @property
    @abstractmethod
    def host(self) -> str:
        """The server's name, for sentences."""

    async def answer(
        self,
        chat_id: str,
        message: Message,
        answers: Sequence[ToolAnswer],
        *,
        terms: ChatTerms = _USUAL_TERMS,
    ) -> AsyncGenerator[Event, None]:
        """It has no tools to approve."""
        self._lacks("tools that wait for a decision")
        yield  # makes this a generator

    async def answer_by_tool_result(
        self, chat_id: str, message: Message, answer: ToolAnswer, *, terms: ChatTerms = _USUAL_TERMS
    ) -> AsyncGenerator[Event, None]:
        """It has no tools to answer."""
        self._lacks("tools that wait for a result")
        yield

    async def tools(self) -> Sequence[ToolInfo]:
        """It has no list of tools."""
        return ()

    async def vote(self, chat_id: str, message_id: str, up: bool) -> None:
        """Its answers cannot be voted on."""
        self._lacks("votes")

    async def votes(self, chat_id: str) -> Mapping[str, bool]:
        """Nobody voted."""
        return {}

    async def quota(self) -> Quota:
        """It tells no quota."""
        self._lacks("usage figures")

    async def instructions(self, whose: Whose) -> str:
        """It keeps no instructions."""
        self._lacks("instructions of your own")

    async def set_instructions(self, whose: Whose, text: str) -> str:
        """It keeps no instructions."""
        self._lacks("instructions of your own")

    async def permissions(self) -> Sequence[ToolInfo]:
        """It has no tools to permit."""
        self._lacks("tool permissions")

    async def set_permissions(self, permissions: Mapping[str, Permission] | None) -> Mapping[str, str]:
        """It has no tools to permit."""
        self._lacks("tool permissions")

    async def suggestions(self) -> Sequence[Suggestion]:
        """It suggests nothing."""
        self._lacks("suggestions")

    def _lacks(self, what: str) -> NoReturn:
        raise Unsupported(f"{self.system} has no {what}.")

"""Which agent was chosen last, and for which chat; kept between runs."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from kai_tui.backends.system import Memory

MOST_CHATS: Final = 500
"""Chats whose agents are kept; those chosen longest ago go first."""

_LAST: Final = "agent"
_OF_ACCOUNT: Final = "agent of the account"
_OF_CHATS: Final = "agents"
_ASKED: Final = "agents that were asked"


class ChosenAgents:
    """Choices of the user, and what the server says of its chats. A choice made in this run is never overwritten."""

    def __init__(self, memory: Memory | None = None, last: str | None = None) -> None:
        """`last`: whom new chats are with while nothing is known from earlier runs."""
        self.last = last
        self._memory = memory
        self._of: dict[str, str] = {}
        self._told: dict[str, str] = {}
        """As the server has it, by chat."""
        self._asked: dict[str, str] = {}
        """To whom the last message went, by chat."""
        self._recalling = asyncio.Lock()
        self._recalled = memory is None
        self._chose = False

    async def recall(self) -> None:
        """Read what was kept; once."""
        if self._recalled:
            return
        async with self._recalling:
            if self._recalled or self._memory is None:
                return
            last = await self._memory.recall(_LAST)
            kept = _read(await self._memory.recall(_OF_CHATS))
            self._of = {**kept, **self._of}
            self._asked = {**_read(await self._memory.recall(_ASKED)), **self._asked}
            if last and not self._chose:
                self.last = last
            self._recalled = True

    def of(self, chat_id: str) -> str | None:
        """Whom a chat is with, as far as it was chosen or told."""
        return self._of.get(chat_id) or self._told.get(chat_id)

    def tell(self, chat_id: str, agent_id: str) -> None:
        """The server says whom a chat is with."""
        self._told[chat_id] = agent_id

    async def asks(self, chat_id: str, agent_id: str) -> None:
        """A message goes to this agent. Kept at once: its question may wait until the next run."""
        await self.recall()
        self.tell(chat_id, agent_id)
        if self._asked.pop(chat_id, None) != agent_id and self._memory is not None:
            newest = dict(list(self._asked.items())[-MOST_CHATS:])
            await self._memory.keep(_ASKED, json.dumps({**newest, chat_id: agent_id}))
        self._asked[chat_id] = agent_id

    def who_asked(self, chat_id: str) -> str | None:
        """Whose question waits in a chat, whoever was chosen since for its next message."""
        return self._asked.get(chat_id) or self.of(chat_id)

    def choose(self, agent_id: str | None, chat_id: str | None = None) -> None:
        """New chats are with this one, or this chat is."""
        if chat_id is None:
            self._chose = True
            self.last = agent_id
            return
        self._of.pop(chat_id, None)
        if agent_id is not None:
            self._of[chat_id] = agent_id

    def forget(self, chat_id: str) -> None:
        """The chat is gone."""
        self._of.pop(chat_id, None)
        self._told.pop(chat_id, None)
        self._asked.pop(chat_id, None)

    async def keep(self) -> None:
        """Write down what was chosen, for the next run."""
        if self._memory is None:
            return
        await self.recall()
        newest = dict(list(self._of.items())[-MOST_CHATS:])
        await self._memory.keep(_LAST, self.last)
        await self._memory.keep(_OF_CHATS, json.dumps(newest) if newest else None)


async def begin_with(memory: Memory, agent_id: str) -> None:
    """The agent in an account's settings counts as chosen once after it was set; later choices are newer."""
    if await memory.recall(_OF_ACCOUNT) == agent_id:
        return
    await memory.keep(_OF_ACCOUNT, agent_id or None)
    if agent_id:
        await memory.keep(_LAST, agent_id)


def _read(text: str | None) -> dict[str, str]:
    try:
        found: Any = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    rows = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    return {chat_id: agent for chat_id, agent in rows.items() if isinstance(agent, str) and agent}

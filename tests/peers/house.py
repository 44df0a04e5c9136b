"""The program's services over a peer, as `kai-tui --base-url` would open them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.services.account_service import AccountService
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.services.changes import Notice
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.workspace import Workspace
from tests.peers.node_peer import Journal, Peer
from tests.services.scripted_backend import until

LIMIT = 30.0
"""Seconds; a machine that runs other suites beside this one is slow."""


@dataclass
class House:
    """One user's files and the workspaces opened on them, over one peer."""

    peer: Peer
    folder: Path
    opened: list[Workspace] = field(default_factory=list)

    async def enter(self) -> Workspace:
        """Start the program."""
        environ = {"KAI_TUI_HOME": str(self.folder), "STORAGE_API_TOKEN": self.peer.token}
        accounts = AccountService(environ)
        # The service is not said: the program has to tell it by itself (kai.md §1).
        workspace = accounts.open(accounts.from_environment(self.peer.base_url, self.peer.base_url, None))
        self.opened.append(workspace)
        workspace.connect()
        await until(lambda: workspace.connection.state != "connecting", LIMIT)
        assert workspace.connection.state == "connected", workspace.connection.sentence
        return workspace

    async def talk(self) -> Talk:
        """A new chat in a program just started."""
        workspace = await self.enter()
        return Talk(self.peer, workspace, workspace.chats.new_chat())


class Talk:
    """One chat, and what a test wants to know about it."""

    def __init__(self, peer: Peer, workspace: Workspace, session: ChatSession) -> None:
        self.peer = peer
        self.workspace = workspace
        self.session = session
        self.said: list[str] = []
        session.observe(
            lambda change: self.said.append(change.sentence) if isinstance(change, Notice) else None
        )

    async def say(self, text: str) -> Message:
        """Send, and wait for the turn's end. Nothing may be asked."""
        self.session.send(text)
        await self.over()
        return self.session.messages[-1]

    async def over(self) -> None:
        await until(lambda: self.session.turn.phase == "finished", LIMIT)

    async def asked(self, text: str, count: int = 1) -> Sequence[Approval]:
        """Send, and wait for so many questions."""
        self.session.send(text)
        return await self.questions(count)

    async def questions(self, count: int = 1) -> Sequence[Approval]:
        def there() -> bool:
            return len(self.waiting) == count and self.session.turn.phase == "waiting-for-approval"

        await until(there, LIMIT)
        return self.waiting

    @property
    def waiting(self) -> Sequence[Approval]:
        return [each for each in self.workspace.approvals.pending if each.chat_id == self.session.chat_id]

    def decide(self, approval: Approval, approved: bool, reason: str | None = None) -> None:
        assert self.workspace.approvals.decide(approval, Decision(approved, reason))

    def calls(self) -> list[ToolPart]:
        message = self.session.last_assistant_message
        return message.tool_calls() if message is not None else []

    def states(self) -> list[str]:
        return [call.state for call in self.calls()]

    def journal(self) -> Journal:
        return self.peer.journal(self.session.chat_id)

    def persisted(self) -> list[Any]:
        """All messages as the SDK's server side keeps them."""
        return [plain(each) for each in self.peer.messages(self.session.chat_id)]

    def seen(self) -> list[Any]:
        """All messages as they stand on the screen."""
        return [plain(each.to_wire()) for each in self.session.messages]

    async def agrees(self) -> None:
        """What stands on the screen is what the server keeps, part by part."""
        await asyncio.gather(*self.session._background)  # type: ignore[reportPrivateUsage]
        seen, kept = self.seen(), self.persisted()
        assert [each["id"] for each in seen] == [each["id"] for each in kept]
        for mine, theirs in zip(seen, kept, strict=True):
            for ours, other in zip(mine["parts"], theirs["parts"], strict=False):
                assert ours == other
            assert mine == theirs


def plain(message: Mapping[str, Any]) -> Any:
    """A message without what only a store adds, as JSON that compares by value (halves of pairs joined)."""
    wanted = {
        key: message[key] for key in ("id", "role", "parts", "metadata") if message.get(key) is not None
    }
    return json.loads(json.dumps(wanted))


def tool_results(prompt: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The results of tools that a model was given."""
    return [
        part["output"]
        for message in prompt
        if message["role"] == "tool"
        for part in message["content"]
        if part["type"] == "tool-result"
    ]

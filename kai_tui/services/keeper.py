"""What a session keeps on disk while it works; the seam between sessions and storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from kai_tui.conversation.events import FinishReason
    from kai_tui.conversation.messages import Message
    from kai_tui.storage.chat_notes import NoteKind

ReplyState: TypeAlias = Literal["streaming", "complete", "stopped", "cut-off", "failed"]

REPLY_STATES: Mapping[FinishReason, ReplyState] = {
    "cancelled": "stopped",
    "lost": "cut-off",
    "error": "failed",
}
"""How a reply is kept whose turn ended so; all others are complete."""


class Keeper(Protocol):
    """Never raises: a full disk must not stop a chat. What could not be kept is said elsewhere
    (`Workspace.storage_notice`)."""

    async def keep_outgoing(self, chat_id: str, message_id: str, text: str) -> None:
        """The user's text is on disk before anything is sent (P6)."""
        ...

    async def settle_outgoing(self, message_id: str, state: Literal["sent", "not-sent", "unsure"]) -> None:
        """`sent` removes it from the outbox."""
        ...

    async def keep_queue(self, chat_id: str, waiting: Sequence[tuple[str, str]]) -> None:
        """(message id, text) of all that waits to be sent in this chat, in order."""
        ...

    async def rename_message(self, chat_id: str, old_id: str, new_id: str) -> None:
        """The server gave a reply another id than the one it was kept under."""
        ...

    async def checkpoint(self, chat_id: str, title: str, message: Message, state: ReplyState) -> None:
        """Keep a message as it is now (P7)."""
        ...

    def keep_here(self, chat_id: str) -> None:
        """No server keeps this chat: what `checkpoint` keeps of it from now on is the only copy, never thrown away."""
        ...

    async def keep_reply(
        self, chat_id: str, title: str, question: Message, reply: Message, state: ReplyState
    ) -> None:
        """Keep a reply that the server does not keep, although it keeps the chat, and what it answers."""
        ...

    async def drop_message(self, chat_id: str, message_id: str) -> None:
        """A message of a chat that no server keeps was taken back, or is about to be sent anew."""
        ...

    async def remember_answer(
        self, chat_id: str, tool_call_id: str, approval_id: str | None, approved: bool
    ) -> bool:
        """Note an approval's answer before it is posted (A6). False: it could not be noted; do not post."""
        ...

    async def answers_noted(self, chat_id: str) -> Mapping[tuple[str, str], bool]:
        """All that were noted, also by other windows, by tool call and approval id."""
        ...

    async def withdraw_answer(self, chat_id: str, tool_call_id: str, approval_id: str | None) -> None:
        """The answer provably never reached the server."""
        ...

    async def keep_note(self, chat_id: str, kind: NoteKind, value: Any) -> None:
        """Note something about a chat that no server keeps; None removes the note."""
        ...


class ForgetfulKeeper:
    """Keeps nothing: for a chat that was deleted while its turn still ran (P18)."""

    async def keep_outgoing(self, chat_id: str, message_id: str, text: str) -> None:
        return None

    async def settle_outgoing(self, message_id: str, state: Literal["sent", "not-sent", "unsure"]) -> None:
        return None

    async def keep_queue(self, chat_id: str, waiting: Sequence[tuple[str, str]]) -> None:
        return None

    async def rename_message(self, chat_id: str, old_id: str, new_id: str) -> None:
        return None

    async def checkpoint(self, chat_id: str, title: str, message: Message, state: ReplyState) -> None:
        return None

    def keep_here(self, chat_id: str) -> None:
        return None

    async def keep_reply(
        self, chat_id: str, title: str, question: Message, reply: Message, state: ReplyState
    ) -> None:
        return None

    async def drop_message(self, chat_id: str, message_id: str) -> None:
        return None

    async def remember_answer(
        self, chat_id: str, tool_call_id: str, approval_id: str | None, approved: bool
    ) -> bool:
        return False

    async def answers_noted(self, chat_id: str) -> Mapping[tuple[str, str], bool]:
        return {}

    async def withdraw_answer(self, chat_id: str, tool_call_id: str, approval_id: str | None) -> None:
        return None

    async def keep_note(self, chat_id: str, kind: NoteKind, value: Any) -> None:
        return None

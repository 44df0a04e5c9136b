"""What services tell the screen: small frozen facts, one per thing that changed.

Not loaded before the first paint, which needs only `Notice`: nothing changes before there is a chat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from kai_tui.services.notice import Notice as Notice

if TYPE_CHECKING:
    from kai_tui.conversation.events import FinishReason


@dataclass(frozen=True, slots=True)
class MessageAdded:
    """A message stands at the end of the session's list."""

    message_id: str


@dataclass(frozen=True, slots=True)
class PartChanged:
    """A part was added, grew, or changed its state. The hot path: one per delta."""

    message_id: str
    part_index: int


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """Delivery, vote, id, finish or metadata of a message changed.

    `old_id` is set when the server gave the answer another id.
    """

    message_id: str
    old_id: str | None = None


@dataclass(frozen=True, slots=True)
class MessagesReset:
    """All messages were loaded anew: draw everything again."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A tool call of a running turn has its outcome."""

    message_id: str
    tool_call_id: str


@dataclass(frozen=True, slots=True)
class TurnChanged:
    """The turn moved on (`ChatSession.turn`)."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A turn is over."""

    reason: FinishReason


@dataclass(frozen=True, slots=True)
class TitleChanged:
    title: str


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """Messages waiting to be sent were added, edited, removed or sent."""


@dataclass(frozen=True, slots=True)
class TermsChanged:
    """What holds for the chat, or what it is about, changed (`ChatSession.terms`, `context_path`)."""


SessionChange: TypeAlias = (
    MessageAdded
    | PartChanged
    | MessageChanged
    | MessagesReset
    | CallEnded
    | TurnChanged
    | TurnEnded
    | TitleChanged
    | QueueChanged
    | TermsChanged
    | Notice
)

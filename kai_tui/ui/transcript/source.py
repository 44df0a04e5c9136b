"""What the transcript reads from a chat session, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kai_tui.backends.base import Delivery
    from kai_tui.conversation.choices import Choice
    from kai_tui.conversation.messages import Message, ToolPart
    from kai_tui.conversation.tool_results import Link
    from kai_tui.services.job_state import JobState
    from kai_tui.services.turn import Turn


class TranscriptSource(Protocol):
    """The part of `ChatSession` the transcript draws from."""

    @property
    def messages(self) -> Sequence[Message]:
        """All messages, oldest first."""
        ...

    @property
    def turn(self) -> Turn:
        """The running or last turn."""
        ...

    @property
    def gone(self) -> bool:
        """Whether the server does not have this chat any more."""
        ...

    @property
    def kept_here(self) -> bool:
        """Whether no server keeps this chat: nothing can be looked up."""
        ...

    @property
    def takes_up(self) -> bool:
        """Whether a reply that broke off can be asked for once more."""
        ...

    def find(self, message_id: str) -> Message | None:
        """The message with that id."""
        ...

    def delivery(self, message_id: str) -> Delivery | None:
        """Of a user's message; None when there is nothing to say."""
        ...

    def why_not_sent(self, message_id: str) -> str | None:
        """One sentence, raw, for a message that is not-sent or unsure, or that nothing answers."""
        ...

    def vote_of(self, message_id: str) -> bool | None:
        """The user's vote on an answer."""
        ...

    def seconds(self, message_id: str, part_index: int) -> float | None:
        """How long a tool call or a thought took, or takes so far."""
        ...

    def live_choices(self) -> Sequence[Choice]:
        """What can be picked under the last message now."""
        ...

    def pending_calls(self) -> Sequence[str]:
        """Ids of tool calls the user was asked about and did not decide yet."""
        ...

    def decision(self, call: ToolPart) -> bool | None:
        """What the user decided about a call: approved, denied, or nothing that is known."""
        ...

    def rule(self, call: ToolPart) -> str:
        """Which rule decided a call, one sentence; empty while nothing has. Raw."""
        ...

    def ruled(self, call: ToolPart) -> bool | None:
        """What a rule of the user decided about a call whose answer is not sent yet; None: nothing."""
        ...

    def noted(self, call: ToolPart) -> str:
        """What is noted of the user's decision on a call, one sentence; empty when nothing is. Raw."""
        ...

    def places(self, call: ToolPart) -> Sequence[Link]:
        """Where one can look at what a call changed. Raw."""
        ...

    def job(self, call: ToolPart) -> JobState | None:
        """How the job goes that a call started, as far as somebody looked."""
        ...

    def is_superseded(self, message_id: str) -> bool:
        """Whether a message was asked again, or answers one that was."""
        ...

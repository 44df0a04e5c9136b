"""Messages that can only be read; among them a fork before its first message: what will be sent in front of it."""

from __future__ import annotations

from collections.abc import Sequence

from kai_tui.backends.base import Delivery
from kai_tui.conversation.choices import Choice
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.conversation.tool_results import Link
from kai_tui.services.job_state import JobState
from kai_tui.services.turn import Turn


class Preview:
    """What the transcript draws from (`TranscriptSource`), with nothing known but the messages."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = messages
        self.turn = Turn()
        self.gone = False
        self.kept_here = False
        self.takes_up = False

    def find(self, message_id: str) -> Message | None:
        return next((each for each in self.messages if each.id == message_id), None)

    def delivery(self, message_id: str) -> Delivery | None:
        return None

    def why_not_sent(self, message_id: str) -> str | None:
        return None

    def vote_of(self, message_id: str) -> bool | None:
        return None

    def seconds(self, message_id: str, part_index: int) -> float | None:
        return None

    def pending_calls(self) -> Sequence[str]:
        return ()

    def decision(self, call: ToolPart) -> bool | None:
        return None

    def rule(self, call: ToolPart) -> str:
        return ""

    def ruled(self, call: ToolPart) -> bool | None:
        return None

    def noted(self, call: ToolPart) -> str:
        return ""

    def places(self, call: ToolPart) -> Sequence[Link]:
        return ()

    def job(self, call: ToolPart) -> JobState | None:
        return None

    def is_superseded(self, message_id: str) -> bool:
        return False

    def live_choices(self) -> tuple[Choice, ...]:
        return ()


class ForkPreview(Preview):
    """The quote as the message it will be part of."""

    def __init__(self, quote: str) -> None:
        super().__init__([Message.user("quote", quote)])

    def delivery(self, message_id: str) -> Delivery | None:
        return "draft"

"""A chat to draw from, without a network: tests change its messages and say so."""

from __future__ import annotations

from typing import Any

from textual.app import App, ComposeResult

from kai_tui.backends.base import Delivery
from kai_tui.conversation.changed_places import places, seen_places
from kai_tui.conversation.choices import Choice, choices_of
from kai_tui.conversation.messages import GrowingPart, Message, ToolPart, part_from_wire
from kai_tui.conversation.tool_results import Link
from kai_tui.services.changes import MessageAdded, PartChanged
from kai_tui.services.job_state import JobState
from kai_tui.services.turn import Turn
from kai_tui.ui.themes import DARK, THEMES
from kai_tui.ui.transcript.document import Document
from kai_tui.ui.transcript.items import Surroundings
from kai_tui.ui.transcript.styles import plain_palette
from kai_tui.ui.transcript.view import Transcript


class ChatSource:
    """What the transcript reads of a session."""

    def __init__(self, *messages: Message) -> None:
        self.messages = list(messages)
        self.turn = Turn()
        self.deliveries: dict[str, Delivery] = {}
        self.reasons: dict[str, str] = {}
        self.votes: dict[str, bool] = {}
        self.times: dict[tuple[str, int], float] = {}
        self.pending: list[str] = []
        self.decisions: dict[str, bool] = {}
        self.rules: dict[str, str] = {}
        self.ruled_now: dict[str, bool] = {}
        self.gone = False
        self.kept_here = False
        self.takes_up = False
        self.superseded: set[str] = set()
        self.jobs: dict[str, JobState] = {}

    def find(self, message_id: str) -> Message | None:
        return next((message for message in self.messages if message.id == message_id), None)

    def delivery(self, message_id: str) -> Delivery | None:
        return self.deliveries.get(message_id)

    def why_not_sent(self, message_id: str) -> str | None:
        return self.reasons.get(message_id)

    def vote_of(self, message_id: str) -> bool | None:
        return self.votes.get(message_id)

    def seconds(self, message_id: str, part_index: int) -> float | None:
        return self.times.get((message_id, part_index))

    def live_choices(self) -> tuple[Choice, ...]:
        return choices_of(self.messages[-1], running=self.turn.busy) if self.messages else ()

    def pending_calls(self) -> list[str]:
        return self.pending

    def decision(self, call: ToolPart) -> bool | None:
        return self.decisions.get(call.tool_call_id)

    def rule(self, call: ToolPart) -> str:
        return self.rules.get(call.tool_call_id, "")

    def ruled(self, call: ToolPart) -> bool | None:
        return self.ruled_now.get(call.tool_call_id)

    def noted(self, call: ToolPart) -> str:
        return self.rules.get(call.tool_call_id, "")

    def places(self, call: ToolPart) -> list[Link]:
        return places(call) or seen_places(self.messages, call)

    def job(self, call: ToolPart) -> JobState | None:
        return self.jobs.get(call.tool_call_id)

    def is_superseded(self, message_id: str) -> bool:
        return message_id in self.superseded


def answer(*parts: dict[str, Any], id: str = "a1") -> Message:
    """An assistant's message of wire parts."""
    return Message(id, "assistant", [part_from_wire(part) for part in parts])


def text(content: str, *, streaming: bool = False) -> dict[str, Any]:
    """A text part."""
    return {"type": "text", "text": content, "state": "streaming" if streaming else "done"}


def tool(name: str = "query_data", state: str = "output-available", **fields: Any) -> dict[str, Any]:
    """A tool part."""
    return {"type": f"tool-{name}", "toolCallId": "call-1", "state": state, **fields}


class TranscriptApp(App[None]):
    """Nothing but a transcript."""

    AUTO_FOCUS = None

    def __init__(self, source: ChatSource | None = None, clock: float = 100.0) -> None:
        super().__init__()
        self.source = source
        self.now = clock
        self.said: list[object] = []

    def compose(self) -> ComposeResult:
        yield Transcript(id="transcript", clock=lambda: self.now)

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK
        self.animation_level = "none"
        if self.source is not None:
            self.transcript.show(self.source)

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    def on_transcript_follow_changed(self, message: Transcript.FollowChanged) -> None:
        self.said.append(message)

    def on_transcript_link_chosen(self, message: Transcript.LinkChosen) -> None:
        self.said.append(message)

    def on_transcript_copy_requested(self, message: Transcript.CopyRequested) -> None:
        self.said.append(message)

    def on_transcript_choice_picked(self, message: Transcript.ChoicePicked) -> None:
        self.said.append(message)

    def on_transcript_tool_toggled(self, message: Transcript.ToolToggled) -> None:
        self.said.append(message)

    def draw(self) -> None:
        """Let the tick happen now."""
        transcript = self.transcript
        transcript._next_draw = 0.0  # pyright: ignore[reportPrivateUsage]
        transcript._last_clock = 0.0  # pyright: ignore[reportPrivateUsage]
        transcript._tick()  # pyright: ignore[reportPrivateUsage]

    def grow(self, index: int, delta: str) -> None:
        """A delta for a part of the last message."""
        message = self.source.messages[-1] if self.source else None
        assert message is not None
        part = message.parts[index]
        assert isinstance(part, GrowingPart)
        part.append(delta)
        self.transcript.apply(PartChanged(message.id, index))

    def add(self, message: Message) -> None:
        """A message at the end."""
        assert self.source is not None
        self.source.messages.append(message)
        self.transcript.apply(MessageAdded(message.id))

    def lines(self) -> list[str]:
        """What the window shows, without padding."""
        transcript = self.transcript
        return [strip.text.rstrip() for strip in strips(transcript)]

    def shown(self) -> str:
        """What the window shows."""
        return "\n".join(self.lines())


def strips(transcript: Transcript) -> list[Any]:
    """The strips of the window as they are painted."""
    return transcript._compose_lines(0, transcript.size.height)  # pyright: ignore[reportPrivateUsage]


def document_of(source: ChatSource, width: int = 80) -> Document:
    """The conversation without a widget: cheap enough for a whole corpus."""
    document = Document(Surroundings(source, lambda: 100.0), plain_palette())
    document.set_width(width)
    document.load(source.messages)
    return document


def lines_of(document: Document) -> list[str]:
    """The whole conversation, measured from the top."""
    row = 0
    lines: list[str] = []
    while (place := document.place(row)) is not None:
        lines.append(document.rendered(place.item).lines[place.line].strip.text.rstrip())
        row += 1
    return lines


def open_all(document: Document) -> None:
    """Open every card, thought and part."""
    for block in document.blocks:
        document.expand(block)
        for unit in block.units:
            if unit.toggle():
                document.sync(block)


def all_lines(transcript: Transcript) -> list[str]:
    """The whole conversation of a widget."""
    return lines_of(transcript._document)  # pyright: ignore[reportPrivateUsage]

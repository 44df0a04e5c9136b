"""Which unit shows which part: the only place that knows all renderers."""

from __future__ import annotations

from collections.abc import Sequence

from kai_tui.conversation.choices import Choice, closing_text
from kai_tui.conversation.messages import (
    DataPart,
    Message,
    Part,
    ReasoningPart,
    StepStart,
    TextPart,
    ToolPart,
)
from kai_tui.ui.transcript.items import Block, Unit
from kai_tui.ui.transcript.renderers.choice import ChoiceUnit
from kai_tui.ui.transcript.renderers.document_card import DOCUMENT, DocumentUnit
from kai_tui.ui.transcript.renderers.notice import SILENT_DATA, NoticeUnit
from kai_tui.ui.transcript.renderers.reasoning import ReasoningUnit
from kai_tui.ui.transcript.renderers.status import DeliveryUnit, EndUnit
from kai_tui.ui.transcript.renderers.sub_agent import SUB_AGENT, SubAgentUnit
from kai_tui.ui.transcript.renderers.superseded import SupersededUnit
from kai_tui.ui.transcript.renderers.text import TextUnit
from kai_tui.ui.transcript.renderers.tool_card import ToolUnit
from kai_tui.ui.transcript.renderers.user_message import UserTextUnit

FOOTER = 900_000
"""Number of the unit below all parts; further parts get lower numbers."""
CHOICES = 890_000
"""Number of the first choice under an answer."""


def unit_for(block: Block, message: Message, index: int, part: Part) -> Unit | None:
    """The unit of a part; None for parts that are not shown."""
    if isinstance(part, TextPart):
        if message.role == "user":
            return UserTextUnit(block, index, index, part)
        if block.raw:
            from kai_tui.ui.transcript.renderers.raw_text import RawTextUnit

            return RawTextUnit(block, index, index, part)
        return TextUnit(block, index, index, part)
    if isinstance(part, ReasoningPart):
        return ReasoningUnit(block, index, index, part)
    if isinstance(part, ToolPart):
        return ToolUnit(block, index, index, part)
    if isinstance(part, StepStart) or (isinstance(part, DataPart) and part.type in SILENT_DATA):
        return None
    if isinstance(part, DataPart) and isinstance(part.fields.get("data"), dict):
        if part.type == DOCUMENT:
            return DocumentUnit(block, index, index, part)
        if part.type == SUB_AGENT:
            return SubAgentUnit(block, index, index, part)
    return NoticeUnit(block, index, index, part)


def superseded_head(block: Block, message: Message) -> list[Unit]:
    """The line before a message that was asked again; nothing for others."""
    block.shift = int(block.superseded)
    block.opened = block.shown_open = block.opened and block.superseded
    block.shown_raw = block.raw
    if not block.superseded:
        block.head = None
        return []
    if block.head is None:
        block.head = SupersededUnit(block, message)
    # The same one as before: the cursor stays on it.
    block.head.items = []
    return [block.head]


def footer_for(block: Block, message: Message) -> Unit:
    """The lines below a message."""
    return DeliveryUnit(block, FOOTER) if message.role == "user" else EndUnit(block, FOOTER)


def offered_by(block: Block, message: Message) -> Sequence[Choice]:
    """The choices an answer ends in, as its text unit sees them."""
    part = closing_text(message)
    if part is None:
        return ()
    for unit in reversed(block.units):
        if unit.shows is part and isinstance(unit, TextUnit):
            return unit.choices
    return ()


def choice_units(block: Block, choices: Sequence[Choice]) -> list[Unit]:
    """A unit for each choice under an answer."""
    return [ChoiceUnit(block, CHOICES + index, index, choice) for index, choice in enumerate(choices)]

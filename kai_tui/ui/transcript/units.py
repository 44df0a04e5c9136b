"""Which unit shows which part: the only place that knows all renderers."""

from __future__ import annotations

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
from kai_tui.ui.transcript.renderers.notice import SILENT_DATA, NoticeUnit
from kai_tui.ui.transcript.renderers.reasoning import ReasoningUnit
from kai_tui.ui.transcript.renderers.status import DeliveryUnit, EndUnit
from kai_tui.ui.transcript.renderers.text import TextUnit
from kai_tui.ui.transcript.renderers.tool_card import ToolUnit
from kai_tui.ui.transcript.renderers.user_message import UserTextUnit

FOOTER = 900
"""Number of the unit below all parts; further parts get lower numbers."""


def unit_for(block: Block, message: Message, index: int, part: Part) -> Unit | None:
    """The unit of a part; None for parts that are not shown."""
    if isinstance(part, TextPart):
        kind = UserTextUnit if message.role == "user" else TextUnit
        return kind(block, index, index, part)
    if isinstance(part, ReasoningPart):
        return ReasoningUnit(block, index, index, part)
    if isinstance(part, ToolPart):
        return ToolUnit(block, index, index, part)
    if isinstance(part, StepStart) or (isinstance(part, DataPart) and part.type in SILENT_DATA):
        return None
    return NoticeUnit(block, index, index, part)


def footer_for(block: Block, message: Message) -> Unit:
    """The lines below a message."""
    number = max(FOOTER, len(message.parts) + 1)
    return DeliveryUnit(block, number) if message.role == "user" else EndUnit(block, number)

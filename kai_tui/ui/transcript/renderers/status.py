"""Lines about a message: its delivery, how its answer ended, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from kai_tui.conversation.events import Finish
from kai_tui.conversation.messages import Message
from kai_tui.conversation.safe_text import safe_line, safe_prose
from kai_tui.ui.transcript.items import Item, Tone, Unit
from kai_tui.ui.transcript.rows import Block as RowBlock
from kai_tui.ui.transcript.rows import Lead, Row

LONGEST_PATH = 500
"""Characters of what a message is about; what Kai's pages have is far shorter."""


class Remark(NamedTuple):
    """One line: a glyph, a text, a style. Never colour alone."""

    glyph: str
    text: str
    style: str

    def row(self) -> Row:
        """Drawn."""
        return Row(
            self.text, base=self.style, lead=(Lead(self.glyph + " ", self.style),), rest=(Lead("  ", ""),)
        )


class RemarksUnit(Unit):
    """Base of units that are a few remarks."""

    tone: ClassVar[Tone] = "note"
    reachable: ClassVar[bool] = False

    def remarks(self) -> list[Remark]:
        """What to say now; nothing when empty."""
        raise NotImplementedError

    def sync(self) -> int | None:
        remarks = self.remarks()
        if not remarks:
            if not self.items:
                return None
            self.items = []
            return 0
        changed = not self.items or self.items[0].content != remarks
        return self.set_single(remarks, changed=changed)

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        return [Remark(*remark).row() for remark in self.remarks()]

    def estimate(self, item: Item, width: int) -> int:
        return len(self.remarks())


class DeliveryUnit(RemarksUnit):
    """What a user's message is about, and where it is."""

    def remarks(self) -> list[Remark]:
        message = self.block.message
        if message is None:
            return []
        about = message.about
        remarks = [Remark("↳", f"about {safe_line(about, LONGEST_PATH)}", "muted")] if about else []
        return [*remarks, *self._delivery(message)]

    def _delivery(self, message: Message) -> list[Remark]:
        source = self.around.source
        if source is None:
            return []
        delivery = source.delivery(message.id)
        if delivery == "sending":
            return [Remark("↑", "sending…", "muted")]
        if delivery == "queued":
            return [Remark("↑", "waits until the answer ends", "muted")]
        if delivery == "not-sent":
            return [Remark("✗", _because("not sent", source.why_not_sent(message.id)), "error")]
        if delivery == "unsure":
            return [
                Remark("?", _because("unsure whether it arrived", source.why_not_sent(message.id)), "warning")
            ]
        return []


def _because(what: str, why: str | None) -> str:
    return f"{what}: {safe_line(why)}" if why else what


def ending(finish: Finish) -> Remark | None:
    """How an answer ended when it did not simply end."""
    reason = finish.reason
    detail = safe_line(finish.detail) if finish.detail else ""
    if reason == "cancelled":
        return Remark("■", "stopped", "muted")
    if reason == "lost":
        return Remark("✗", f"cut off: {detail}" if detail else "cut off", "error")
    if reason == "error":
        return Remark("✗", detail or "the answer failed", "error")
    if reason == "length":
        return Remark("■", "cut off: the answer reached its greatest length", "warning")
    if reason == "content-filter":
        return Remark("■", "stopped by the content filter", "warning")
    return None


class EndUnit(RemarksUnit):
    """How an answer ended, and its errors."""

    def remarks(self) -> list[Remark]:
        message = self.block.message
        if message is None:
            return []
        return list(_end_of(message))


def _end_of(message: Message) -> list[Remark]:
    errors: list[str] = []
    for raw in message.errors:
        text = safe_prose(raw).strip()
        if text and text not in errors:
            errors.append(text)
    finish = message.finish
    end = ending(finish) if finish is not None else None
    # The stream's own error text often says already what the end would.
    said = bool(errors) and finish is not None and finish.reason == "error"
    if end is not None and said and finish is not None and (not finish.detail or end.text in errors):
        end = None
    remarks = [Remark("✗", line, "error") for text in errors for line in text.split("\n")]
    return [*remarks, end] if end is not None else remarks

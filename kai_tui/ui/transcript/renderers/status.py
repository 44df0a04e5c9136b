"""Lines about a message: its delivery, how its answer ended, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from kai_tui.conversation.events import Finish
from kai_tui.conversation.messages import Message
from kai_tui.conversation.safe_text import safe_line, safe_prose
from kai_tui.services.keeper import REPLY_STATES
from kai_tui.services.turn import OUTCOME_UNKNOWN, Countdown
from kai_tui.ui.transcript.items import Item, Tone, Unit
from kai_tui.ui.transcript.renderers.duration import words_for
from kai_tui.ui.transcript.rows import Block as RowBlock
from kai_tui.ui.transcript.rows import Lead, Row

if TYPE_CHECKING:
    from kai_tui.ui.transcript.source import TranscriptSource

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
        countdown = source.turn.countdown
        if countdown is not None and countdown.message_id == message.id:
            return [counting(countdown, self.around.clock())]
        found = delivered(source, message.id)
        if found is None and not source.turn.busy and self.around.is_last(message):
            found = unanswered(source.why_not_sent(message.id), may_look=not source.kept_here)
        return [found] if found is not None else []

    def timed(self) -> bool:
        source, message = self.around.source, self.block.message
        countdown = source.turn.countdown if source is not None else None
        return countdown is not None and message is not None and countdown.message_id == message.id


def delivered(source: TranscriptSource, message_id: str) -> Remark | None:
    """Where a user's message is, and what to press; None when it arrived."""
    delivery = source.delivery(message_id)
    why = safe_line(source.why_not_sent(message_id) or "")
    again = key_of("retry_unsent")
    if delivery == "sending":
        return Remark("↑", "sending…", "muted")
    if delivery == "draft":
        return Remark("↑", "not sent yet: goes in front of your first message", "warning")
    if delivery == "queued":
        return Remark("↑", "waits until the answer ends", "muted")
    if delivery == "not-sent":
        where = f"{again} sends it in a new chat" if source.gone else f"{again} sends it"
        return Remark("✗", _joined("not sent", why, where), "error")
    if delivery == "unsure":
        if why == OUTCOME_UNKNOWN:
            return Remark("?", why, "warning")
        then = f"{again} sends it again" if source.kept_here else f"{again} checks"
        return Remark("?", _joined("unsure whether it arrived", why, then), "warning")
    return None


def unanswered(why: str | None, *, may_look: bool = True) -> Remark:
    """A message at the end of the chat that nothing answers. `may_look`: whether an answer may be somewhere."""
    again = f"{key_of('retry_unsent')} asks again"
    then = f"{key_of('look_again')} looks again · {again}" if may_look else again
    return Remark("○", _joined("no answer yet", safe_line(why or ""), then), "muted")


def counting(countdown: Countdown, now: float) -> Remark:
    """What happens by itself in some seconds, and what to press. `now`: monotonic seconds."""
    left = max(1, ceil(countdown.until - now))
    tries = f" ({countdown.number} of {countdown.of})" if countdown.of > 1 else ""
    stop = key_of("stop_reply")
    if countdown.what == "send-again":
        return Remark("↑", f"The server asks to wait: sending again in {left} s · {stop} cancels", "warning")
    if countdown.what == "connect-again":
        why = safe_line(countdown.why or "The server was not reached.")
        return Remark("↑", f"{why} Trying again in {left} s{tries} · {stop} stops", "warning")
    look = key_of("look_again")
    if countdown.what == "server-writes":
        waited = words_for(int(max(0.0, now - countdown.until)))
        return Remark("●", f"still being written on the server: {waited} · {look} looks now", "muted")
    return Remark(
        "○", f"The answer may still be on its way: looking again in {left} s{tries} · {look} now", "muted"
    )


def key_of(name: str) -> str:
    """The first key of an action, as people write it: the one that works wherever the focus is."""
    from kai_tui.ui.action_words import key_name
    from kai_tui.ui.actions import action

    return key_name(action(name).keys[0])


def _joined(what: str, why: str, key: str) -> str:
    return f"{what}: {why} · {key}" if why else f"{what} · {key}"


def ending(finish: Finish) -> Remark | None:
    """How an answer ended when it did not simply end."""
    reason = finish.reason
    detail = safe_line(finish.detail) if finish.detail else ""
    if reason == "cancelled":
        return Remark("■", f"stopped. {detail}" if detail else "stopped", "muted")
    if reason == "lost":
        return Remark("✗", f"cut off: {detail}" if detail else "cut off", "error")
    if reason == "error":
        return Remark("✗", detail or "the answer failed", "error")
    if reason == "elsewhere":
        return Remark("●", "another kai-tui window writes this: open the chat again to read on", "muted")
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
        remarks = list(_end_of(message))
        source = self.around.source
        countdown = source.turn.countdown if source is not None else None
        if countdown is not None and countdown.message_id == message.id:
            return [*remarks, counting(countdown, self.around.clock())]
        if remarks and source is not None and not source.turn.busy and self.around.is_last(message):
            may_look = not source.kept_here or (source.takes_up and _was_lost(message))
            then = what_to_press(message, may_look=may_look)
            remarks[-1] = remarks[-1]._replace(text=remarks[-1].text + then)
        return remarks

    def timed(self) -> bool:
        source, message = self.around.source, self.block.message
        countdown = source.turn.countdown if source is not None else None
        return countdown is not None and message is not None and countdown.message_id == message.id


def _was_lost(message: Message) -> bool:
    return message.finish is not None and message.finish.reason == "lost"


def what_to_press(message: Message, *, may_look: bool = True) -> str:
    """After a reply that broke off: what the user can do about it. Only the last reply of a chat says it.

    `may_look`: whether somebody may have more of it.
    """
    reason = message.finish.reason if message.finish is not None else None
    again = f" · {key_of('retry_unsent')} asks again"
    look = f" · {key_of('look_again')} looks again" if may_look else ""
    if reason == "lost":
        return f" What came is kept.{look}{again}"
    if reason == "cancelled":
        return f"{look}{again}"
    return again if reason in REPLY_STATES else ""


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

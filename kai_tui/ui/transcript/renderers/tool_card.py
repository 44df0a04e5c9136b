"""A tool call as a card: one line that says what happens, everything else on demand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from kai_tui.conversation.messages import ToolPart
from kai_tui.conversation.safe_text import safe_line, safe_prose
from kai_tui.conversation.tool_results import Link as Place
from kai_tui.conversation.tool_results import is_table, result_size
from kai_tui.conversation.tools import headline, risk
from kai_tui.services.call_rules import short_words
from kai_tui.services.turn import ENDED_WELL
from kai_tui.ui.transcript.items import ITEM_ROWS, Block, Item, Tone, Unit
from kai_tui.ui.transcript.renderers.duration import words_for
from kai_tui.ui.transcript.renderers.job_row import job_facts, job_row
from kai_tui.ui.transcript.renderers.status import key_of
from kai_tui.ui.transcript.renderers.tool_after import link_rows
from kai_tui.ui.transcript.renderers.tool_data import (
    FIRST_ROWS,
    MOST_ROWS,
    Detail,
    argument_details,
    card_pieces,
    masked,
    pretty,
    text_details,
)
from kai_tui.ui.transcript.renderers.tool_result import result_details
from kai_tui.ui.transcript.rows import Block as RowBlock
from kai_tui.ui.transcript.rows import Lead, Row, Span

if TYPE_CHECKING:
    from kai_tui.conversation.tables.data_table import DataTable
    from kai_tui.services.job_state import JobState
    from kai_tui.ui.transcript.pieces import Kind, Piece

_SHORT_WORDS = 32
"""Characters of a reason on the first line."""
_SHORT_RULE = 80
"""Characters of a sentence that fits beside its label."""

CAP = 60
"""Lines an opened card shows at first; opening it again shows all."""


class CardState(NamedTuple):
    """What a call is doing, in a glyph, in words and in a style."""

    glyph: str
    words: str
    style: str

    def row(self, text: str, spans: list[Span], right: list[Lead], *, findable: int, open: bool) -> Row:
        """The one line of a card in this state."""
        return Row(
            text,
            spans,
            lead=(Lead(self.glyph + " ", self.style),),
            wrap="cut",
            right=(*right, Lead(" ▾" if open else " ▸", "muted")),
            findable=findable,
        )


PREPARING = CardState("○", "preparing", "tool-running")
RUNNING = CardState("●", "running", "tool-running")
LEFT_OPEN = CardState("○", "left open by the server", "tool-waiting")
WAITING = CardState("?", "waiting for you", "tool-waiting")
ALLOWED = CardState("?", "allowed by your rule, not sent yet", "tool-waiting")
REFUSED = CardState("?", "denied by your rule, not sent yet", "tool-waiting")
DONE = CardState("✓", "done", "tool-done")
FAILED = CardState("✗", "failed", "tool-failed")
DENIED = CardState("⊘", "denied", "tool-denied")
NO_RESULT = CardState("○", "no result", "muted")
INTERRUPTED = CardState("✗", "interrupted", "tool-failed")
NOT_ANSWERED = CardState("○", "was not answered", "muted")


def state_of(part: ToolPart, *, live: bool, broke_off: bool = False, denied: bool = False) -> CardState:
    """What to say about a call. `live`: its message's turn is running; `broke_off`: it was not finished;
    `denied`: the user said no, which kai-agent reports as an error of the tool (kai.md §9.2)."""
    state = part.state
    if state == "output-error":
        return DENIED if denied else FAILED
    if state == "output-denied":
        return DENIED
    if state == "output-available":
        return RUNNING if part.preliminary and live else DONE
    if state == "approval-requested":
        return WAITING if live else NOT_ANSWERED
    if state == "approval-responded" and part.approval is not None and part.approval.get("approved") is False:
        return DENIED
    if not live:
        return INTERRUPTED if broke_off else NO_RESULT
    return PREPARING if state == "input-streaming" else RUNNING


class ToolUnit(Unit):
    """A tool part."""

    tone: ClassVar[Tone] = "card"
    kind: ClassVar[Kind] = "card"
    findable: ClassVar[bool] = True

    def __init__(self, block: Block, number: int, part_index: int, part: ToolPart) -> None:
        super().__init__(block, number, part_index, part)
        self.part = part
        self.level = 0
        """0 closed, 1 open up to the cap, 2 all of it."""
        self._header: Row | None = None
        self._head = Item(self, None, self.base)
        self._after: list[Row] = []
        """The rows right below the header, opened or not."""
        self._below = Item(self, None, self.base + ITEM_ROWS // 2)
        self._opened: list[Item] = []
        self._places: tuple[object, Sequence[Place], list[Row]] | None = None
        self._job: JobState | None = None
        self._hidden = 0
        """Lines the cap hides."""
        self._built: tuple[object, ...] = ()
        self._sized: tuple[object, str] | None = None
        self._tabular: tuple[object, bool] | None = None

    @property
    def state(self) -> CardState:
        """What the call is doing."""
        message = self.block.message
        live = self.around.live(message)
        if self.part.state in ("approval-requested", "input-available"):
            ruled = self.around.ruled(self.part)
            if ruled is not None:
                return ALLOWED if ruled else REFUSED
        if not live and self.part.state == "approval-requested" and self.around.is_last(message):
            # Kai's assistant flavour ends the turn while it waits for the answer (kai.md §9.2).
            return WAITING
        if self.part.state == "input-available" and self.around.waits_for_user(self.part.tool_call_id):
            # kai-agent says nothing on the wire while it waits (kai.md §9.2): the session asked.
            return WAITING
        finish = message.finish if message is not None else None
        if (
            not live
            and self.part.state == "input-available"
            and finish is not None
            and finish.reason in ENDED_WELL
        ):
            return LEFT_OPEN
        broke_off = finish is not None and finish.reason in ("lost", "cancelled", "error")
        return state_of(self.part, live=live, broke_off=broke_off, denied=self.around.denied(self.part))

    def sync(self) -> int | None:
        part = self.part
        state = self.state
        self._job = self.around.job(part) if state is DONE else None
        header = self._summary(state)
        facts = job_facts(self._job) if self._job is not None and self.level else ""
        noted = self.around.noted(part)
        built = (part.input, part.output, part.error_text, part.state, self.level, facts, noted)
        rebuild = len(built) != len(self._built) or any(
            one is not other and one != other if index > 1 else one is not other
            for index, (one, other) in enumerate(zip(built, self._built, strict=False))
        )
        changed: int | None = None
        if not self.items or header != self._header:
            self._head.forget()
            changed = 0
        self._header = header
        after = self._rows_after(state)
        if after != self._after:
            self._below.forget()
            self._after = after
            changed = 1 if changed is None else changed
        if rebuild and (self.level or self._opened):
            self._opened = self._detail_items()
            changed = 1 + bool(after) if changed is None else changed
        self._built = built
        if changed is not None:
            self.items = [self._head, *([self._below] if after else ()), *self._opened]
        return changed

    def _rows_after(self, state: CardState) -> list[Row]:
        """What became of a call that is done."""
        if state is not DONE:
            return []
        output = self.part.output
        if self._places is None or self._places[0] is not output:
            found = self.around.places(self.part)
            self._places = (output, found, link_rows(found))
        _, found, rows = self._places
        job = self._job
        if job is None:
            return rows
        if any(each.url == job.job.url for each in found):
            # Its own line leads to it.
            rows = link_rows([each for each in found if each.url != job.job.url])
        return [job_row(job, self.around.clock()), *rows]

    def _summary(self, state: CardState) -> Row:
        part = self.part
        name = safe_line(part.tool_name, 60) or "tool"
        subject = headline(part.tool_name, part.input) if part.has_input else ""
        argument = safe_line(" ".join(subject.split()), 400)
        text = f"{name}  {argument}" if argument else name
        spans = [Span(0, len(name), "tool"), Span(len(name), len(text), "muted")]
        right: list[Lead] = []
        short = safe_line(short_words(self.around.noted(part)), _SHORT_WORDS)
        if state is DENIED and short:
            right.append(Lead(short, state.style))
        elif short:
            right.append(Lead(f"{short} · ", "tool-waiting"))
        if state is DONE:
            size = self._size(part.output) if self._job is None else "started"
            right.append(Lead(size or state.words, "muted" if size else state.style))
        elif not (state is DENIED and short):
            right.append(Lead(state.words, state.style))
        message = self.block.message
        seconds = self.around.seconds(message, self.part_index) if message is not None else None
        if seconds is not None and state is not DENIED:
            shown = float(seconds) if part.settled else int(seconds)
            right.append(Lead("  " + words_for(shown), "muted"))
        return state.row(text, spans, right, findable=len(name), open=self.level > 0)

    def _size(self, output: object) -> str:
        """The result's size in words; reading a large one takes time, so it is kept."""
        if self._sized is None or self._sized[0] is not output:
            self._sized = (output, safe_line(result_size(output) or "", 40))
        return self._sized[1]

    @property
    def has_rows(self) -> bool:
        """Whether the answer is a table; looked at once."""
        if self.part.state != "output-available" or "output" not in self.part.fields:
            return False
        output = self.part.output
        if self._tabular is None or self._tabular[0] is not output:
            self._tabular = (output, is_table(output))
        return self._tabular[1]

    def _details(self) -> Iterator[Detail]:
        part = self.part
        if part.has_input or part.raw_input is not None:
            yield Detail("label", "Arguments")
            yield from argument_details(part.input if part.has_input else part.raw_input)
        approval = part.approval
        reason = approval.get("reason") if approval is not None else None
        rule = self.around.rule(part)
        if len(rule) > _SHORT_RULE:
            yield Detail("label", "Decided")
            yield Detail("text", safe_prose(rule))
        elif rule:
            yield Detail("label", f"Decided: {safe_line(rule)}")
        if isinstance(reason, str) and reason and reason not in rule:
            yield Detail("label", "Your answer")
            yield Detail("text", safe_line(reason))
        if self._job is not None:
            yield Detail("label", "Job")
            yield from text_details("text", job_facts(self._job))
        yield from result_details(part, FIRST_ROWS if self.level == 1 else MOST_ROWS)
        if self.state is DONE and risk(part.tool_name) != "reads":
            from kai_tui.conversation.inverses import may_be_undone

            if may_be_undone(part):
                yield Detail("label", f"{key_of('undo_change')} writes a message that would undo this")

    def _detail_items(self) -> list[Item]:
        """The pieces shown at this level, each an item."""
        items: list[Item] = []
        shown = hidden = 0
        self._hidden = 0

        def put(detail: Detail) -> None:
            items.append(Item(self, detail, self.base + (len(items) + 1) * ITEM_ROWS))

        for detail in self._details() if self.level else ():
            if self.level == 1 and shown >= CAP:
                hidden += detail.hidden or detail.lines
                continue
            self._hidden += detail.hidden
            shown += detail.lines
            put(detail)
        self._hidden += hidden
        if hidden:
            put(Detail("more", f"… {hidden:,} more lines: open once more to see them"))
        return items

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        if isinstance(item.content, Detail):
            return item.content.blocks()
        if item is self._below:
            return self._after
        assert self._header is not None
        return [self._header]

    def pieces(self, index: int) -> Sequence[Piece] | None:
        return card_pieces(self.items, index) if len(self.items) > 1 else None

    def estimate(self, item: Item, width: int) -> int:
        if not isinstance(item.content, Detail):
            return len(self._after) if item is self._below else 1
        return item.content.lines + len(item.content.text) * 3 // (4 * width)

    def source(self) -> str:
        part = self.part
        texts = [part.tool_name, pretty(masked(part.input))]
        if part.state == "output-available":
            output = part.output
            texts.append(output if isinstance(output, str) else pretty(output))
        elif part.error_text:
            texts.append(part.error_text)
        return "\n\n".join(texts)

    def table(self) -> DataTable | None:
        from kai_tui.conversation.tables.reading import table_of_result

        return table_of_result(self.part.output) if self.has_rows else None

    def opens(self) -> bool:
        return True

    def toggle(self) -> bool:
        if self.level == 0:
            self.level = 1
        elif self.level == 1 and self._hidden:
            self.level = 2
        else:
            self.level = 0
        return True

    def depth(self) -> int:
        return self.level

    def open_to(self, depth: int) -> None:
        self.level = min(depth, 2)

    def keep(self, before: Unit) -> None:
        self.level = before.level if isinstance(before, ToolUnit) else 0

    def timed(self) -> bool:
        return not self.part.settled and self.around.live(self.block.message)

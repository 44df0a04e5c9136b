"""What stands in the transcript: blocks (messages) of units (parts) of items (what is drawn at once)."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from kai_tui.ui.transcript.heights import Heights

if TYPE_CHECKING:
    from kai_tui.conversation.choices import Choice
    from kai_tui.conversation.messages import Message, Part, ToolPart
    from kai_tui.conversation.tables.data_table import DataTable
    from kai_tui.conversation.tool_results import Link
    from kai_tui.services.job_state import JobState
    from kai_tui.ui.transcript.laid_out import Laid
    from kai_tui.ui.transcript.pieces import Kind, Piece
    from kai_tui.ui.transcript.rows import Block as RowBlock
    from kai_tui.ui.transcript.source import TranscriptSource
    from kai_tui.ui.transcript.strips import Rendered

BLOCK_ROWS = 10**15
"""Selection rows of a block; room enough for whatever it becomes."""
UNIT_ROWS = 10**9
ITEM_ROWS = 10**4
"""Selection rows kept free for an item whose rows were not counted."""

Tone: TypeAlias = Literal["prose", "card", "note"]
"""Cards follow each other without an empty row; prose stands apart from them."""


class Item:
    """The smallest piece that is measured and drawn by itself."""

    __slots__ = ("base", "content", "exact", "gap", "height", "instead", "pieces", "rendered", "unit")

    def __init__(self, unit: Unit, content: object, base: int, *, gap: bool = False) -> None:
        self.unit = unit
        self.content = content
        """What the unit wants to remember of it, e.g. its chunk of prose."""
        self.base = base
        """Number of its first selection row; grows along the transcript."""
        self.gap = gap
        """Whether an empty row stands before it inside its unit."""
        self.height = 0
        self.exact = False
        """False while `height` is an estimate."""
        self.rendered: Rendered | None = None
        self.pieces: Sequence[Piece] | None = None
        """What the reading cursor found in it; None where it was not."""
        self.instead: dict[int, Laid] | None = None
        """What is drawn for some of its pieces, by their number, where the user asked for it."""

    def forget(self) -> None:
        """It has to be drawn again, perhaps with another height."""
        self.rendered = self.pieces = None
        self.exact = False


class Surroundings:
    """What units may ask about the chat around them."""

    def __init__(self, source: TranscriptSource | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.source = source
        self.clock = clock
        self.counting = False
        """Whether selection rows must stay where they are (something is selected)."""

    def live(self, message: Message | None) -> bool:
        """Whether this message's turn is running."""
        source = self.source
        if source is None or message is None or not source.turn.busy or message.finish is not None:
            return False
        messages = source.messages
        return bool(messages) and messages[-1] is message

    def is_last(self, message: Message | None) -> bool:
        """Whether nothing comes after this message."""
        messages = self.source.messages if self.source is not None else ()
        return bool(messages) and messages[-1] is message

    def live_choices(self, message: Message | None) -> Sequence[Choice]:
        """What can be picked under this message now."""
        return self.source.live_choices() if self.source is not None and self.is_last(message) else ()

    def seconds(self, message: Message, index: int) -> float | None:
        """How long a part took or takes."""
        return self.source.seconds(message.id, index) if self.source is not None else None

    def superseded(self, message: Message | None) -> bool:
        """Whether this message was asked again, or answers one that was."""
        return self.source is not None and message is not None and self.source.is_superseded(message.id)

    def denied(self, call: ToolPart) -> bool:
        """Whether the user denied this call, whatever the wire says of it."""
        return self.source is not None and self.source.decision(call) is False

    def rule(self, call: ToolPart) -> str:
        """Which rule decided a call, one sentence; empty while nothing has. Raw."""
        return self.source.rule(call) if self.source is not None else ""

    def ruled(self, call: ToolPart) -> bool | None:
        """What a rule of the user decided about a call whose answer is not sent yet; None: nothing."""
        return self.source.ruled(call) if self.source is not None else None

    def noted(self, call: ToolPart) -> str:
        """What is noted of the user's decision on a call. Raw."""
        return self.source.noted(call) if self.source is not None else ""

    def places(self, call: ToolPart) -> Sequence[Link]:
        """Where one can look at what this call changed."""
        return self.source.places(call) if self.source is not None else ()

    def job(self, call: ToolPart) -> JobState | None:
        """How the job goes that this call started."""
        return self.source.job(call) if self.source is not None else None

    def waits_for_user(self, tool_call_id: str) -> bool:
        """Whether the user was asked about this call."""
        return self.source is not None and tool_call_id in self.source.pending_calls()


class Unit(ABC):
    """One part of a message (or a line about it) on the screen."""

    tone: ClassVar[Tone] = "prose"
    reachable: ClassVar[bool] = True
    """Whether the cursor stops here."""
    kind: ClassVar[Kind] = "note"
    """What it is to the cursor."""
    findable: ClassVar[bool] = False
    """Whether what it says is looked through when something is searched: what was said, not what we say of it."""

    def __init__(self, block: Block, number: int, part_index: int = -1, part: Part | None = None) -> None:
        self.block = block
        self.number = number
        """Its place in the message; the same when the message is read anew."""
        self.shows = part
        """The part it was made for; None for lines about the message."""
        self.base = block.base + (number + block.shift) * UNIT_ROWS
        self.part_index = part_index
        self.items: list[Item] = []

    @property
    def around(self) -> Surroundings:
        return self.block.around

    @abstractmethod
    def sync(self) -> int | None:
        """Read what changed. The index of the first item that is new or different, None when none is.

        `items` is up to date afterwards; the changed items are forgotten and everything from there
        on is estimated anew.
        """

    def read_ahead(self) -> None:
        """Take in what came meanwhile without showing it, so that the next `sync` is short."""
        return

    @abstractmethod
    def blocks(self, item: Item) -> Sequence[RowBlock]:
        """The rows of an item."""

    def estimate(self, item: Item, width: int) -> int:
        """Lines the item will need at a text width of `width` cells, cheaply."""
        return 1

    def source(self) -> str:
        """What copying it gives; raw."""
        return ""

    def pieces(self, index: int) -> Sequence[Piece] | None:
        """What the cursor stops at in an item of it; None: all of the unit is one stop."""
        return None

    def item_at(self, start: int) -> int:
        """The item in which, or after which, the piece stands that starts at `start`."""
        return 0

    def table(self) -> DataTable | None:
        """The table that is its content, whole; takes as long as reading it."""
        return None

    @property
    def has_rows(self) -> bool:
        """Whether there is such a table; cheap."""
        return False

    def opens(self) -> bool:
        """Whether there is something to open or close."""
        return False

    def toggle(self) -> bool:
        """Open or close it; whether it can. `sync` follows."""
        return False

    def depth(self) -> int:
        """How far it is open; 0 where it is folded or cannot be opened."""
        return 0

    def open_to(self, depth: int) -> None:
        """Open or fold it so far; what is more than it has opens all of it. `sync` follows."""
        return

    def keep(self, before: Unit) -> None:
        """Take over what the user did (open, closed) from the unit that showed this part before."""
        return

    def timed(self) -> bool:
        """Whether what it shows changes with time now."""
        return False

    def choice(self) -> Choice | None:
        """What choosing it says in the chat, if it is something to pick."""
        return None

    def set_single(self, content: object, *, changed: bool) -> int | None:
        """For units of one item: set it. None when nothing changed."""
        if not self.items:
            self.items.append(Item(self, content, self.base))
            return 0
        if not changed:
            return None
        self.items[0].content = content
        self.items[0].forget()
        return 0


class Block:
    """A message: where its items are. Its units exist once it was near the viewport."""

    __slots__ = (
        "around", "base", "close", "estimated", "first", "head", "heights", "index", "items", "message",
        "offered", "opened", "raw", "shift", "shown_open", "shown_raw", "superseded", "touched", "units",
    )  # fmt: skip

    def __init__(self, index: int, message: Message | None, around: Surroundings) -> None:
        self.index = index
        self.message = message
        self.around = around
        self.base = index * BLOCK_ROWS
        self.first = index == 0
        self.units: list[Unit] = []
        self.items: list[Item] | None = None
        self.offered: Sequence[Choice] = ()
        """The choices under it that have units."""
        self.superseded = False
        """Whether it is drawn as one that was asked again: dim, and one line until it is opened."""
        self.opened = False
        """Whether all of a superseded message is to be shown."""
        self.shown_open = False
        """Whether all of it is shown by now."""
        self.touched = False
        """Whether the user opened or closed something in it."""
        self.raw = False
        """Whether its text is to be shown as it was written."""
        self.shown_raw = False
        """Whether it is by now."""
        self.head: Unit | None = None
        """The line before a superseded message."""
        self.close = False
        """Whether it stands right below the block before it."""
        self.shift = 0
        """What numbers of units begin with, more than 0 when a line stands before all parts."""
        self.heights = _NO_HEIGHTS
        self.estimated = 1
        """Lines while its items do not exist yet."""

    @property
    def folded(self) -> bool:
        """Whether its parts are not shown."""
        return self.superseded and not self.opened

    @property
    def height(self) -> int:
        return self.estimated if self.items is None else self.heights.total

    def forget_items(self) -> None:
        """Nobody looks at it any more."""
        self.items, self.units, self.heights = None, [], _NO_HEIGHTS
        self.offered, self.head = (), None

    def shows_parts(self) -> bool:
        """Whether the units' parts are still those of the message."""
        parts = self.message.parts if self.message is not None else []
        return all(
            unit.shows is None or (unit.part_index < len(parts) and parts[unit.part_index] is unit.shows)
            for unit in self.units
        )

    def position(self, item: Item) -> int | None:
        """Index of an item, None when it is gone."""
        if self.items is None:
            return None
        index = bisect_left(self.items, item.base, key=attrgetter("base"))
        return index if index < len(self.items) and self.items[index] is item else None

    def offset_of(self, unit: Unit) -> int:
        """Index of a unit's first item."""
        offset = 0
        for one in self.units:
            if one is unit:
                break
            offset += len(one.items)
        return offset

    def gap_before(self, item: Item) -> bool:
        """Whether an empty row stands before an item."""
        unit = item.unit
        if item is not unit.items[0]:
            return item.gap
        before: Unit | None = None
        for one in self.units:
            if one is unit:
                break
            if one.items:
                before = one
        if before is None:
            return not self.first and not self.close
        if unit.tone == "note":
            return self.message is None or self.message.role != "user"
        return unit.tone == "prose" or before.tone == "prose"

    def splice(self, start: int, stop: int, items: Sequence[Item]) -> None:
        """Put `items` (with their heights) in the place of those from `start` to `stop`."""
        assert self.items is not None
        if stop == len(self.items):
            for _ in range(stop - start):
                self.heights.pop()
            del self.items[start:]
            for item in items:
                self.items.append(item)
                self.heights.append(item.height)
            return
        self.items[start:stop] = items
        self.heights.rebuild([item.height for item in self.items])


_NO_HEIGHTS = Heights()

"""The transcript: one virtual view of the whole conversation (design.md §8).

Tokens reach the model by plain calls of `part_changed`; a tick of at most 16 Hz draws what changed, and
never takes more than an eighth of a core. Only lines that differ are painted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.timer import Timer

from kai_tui.ui.transcript import messages as told
from kai_tui.ui.transcript.document import Document
from kai_tui.ui.transcript.find_in import FindableCanvas
from kai_tui.ui.transcript.items import Block, Surroundings
from kai_tui.ui.transcript.source import TranscriptSource

if TYPE_CHECKING:
    from kai_tui.services.changes import SessionChange

FRAME = 1 / 16
"""Seconds between two draws at least."""
SHARE = 16
"""A draw that took t seconds is followed by at least SHARE * t seconds without one: painting and writing
what was drawn takes as long again."""
CLOCK = 0.5
"""Seconds between two looks at what changes with time."""


class Transcript(FindableCanvas, can_focus=True):
    """Shows a chat session. Focused, it is browsed with a cursor."""

    DEFAULT_CSS = """
    Transcript {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $background;
        color: $text;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home", "scroll_home", "Top", show=False),
        Binding("end", "scroll_end", "End", show=False),
        Binding("enter,space", "toggle_item", "Open or close", show=False),
        Binding("left_curly_bracket", "previous_message", "Message above", show=False),
        Binding("right_curly_bracket", "next_message", "Message below", show=False),
        Binding("tab", "next_link", "Next link", show=False),
        Binding("shift+tab", "previous_link", "Previous link", show=False),
        Binding("apostrophe", "jump_mode", "Jump", show=False),
        Binding("s", "save_block", "Save", show=False),
        Binding("p", "lay_out", "Lay SQL out", show=False),
        Binding("m", "raw_markdown", "As written", show=False),
        Binding("shift+down", "select_down", "Select", show=False),
        Binding("shift+up", "select_up", "Select", show=False),
        Binding("right", "next_word", "Next word", show=False),
        Binding("left", "previous_word", "Word before", show=False),
        Binding("shift+right", "select_right", "Select", show=False),
        Binding("shift+left", "select_left", "Select", show=False),
        Binding("ctrl+a", "select_all", "Select all", show=False),
        Binding("c", "copy", "Copy", show=False),
    ]

    FollowChanged = told.FollowChanged
    LinkChosen = told.LinkChosen
    CopyRequested = told.CopyRequested
    ToolToggled = told.ToolToggled
    Found = told.Found
    FindingEnded = told.FindingEnded
    ChoicePicked = told.ChoicePicked
    SaveRequested = told.SaveRequested
    TableChosen = told.TableChosen
    CursorMoved = told.CursorMoved
    Remarked = told.Remarked

    def __init__(
        self,
        *,
        id: str | None = None,
        classes: str | None = None,
        assistant_name: str = "Kai",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(id=id, classes=classes, assistant_name=assistant_name, clock=clock)
        self._welcome: list[str] = []
        self._ticker: Timer | None = None
        self._awake = False
        self._next_draw = 0.0
        self._last_clock = 0.0
        # What `apply` and `part_changed` noted for the next tick.
        self._noted = False
        self._parts: dict[tuple[str, int], None] = {}
        self._hot: tuple[str, int] = ("", -1)
        self._changed: dict[str, None] = {}
        self._renamed: list[tuple[str, str]] = []
        self._reset = False
        self._turned = False
        """Whether the turn moved on: that decides what the last message says of its parts."""

    # -- what others call --------------------------------------------------------------------

    def show(self, source: TranscriptSource | None) -> None:
        """Show this session, at its end; None shows nothing but the welcome."""
        self._document.leave()
        self._around = Surroundings(source, self._clock)
        self._document = Document(self._around, self._current_palette(), self._document.name)
        self._document.width = self._usable_width()
        self._forget_notes()
        self._cursor = self._left_at = None
        self._following = True
        self._unseen = 0
        self._end_selection()
        if self.finding:
            self._forget_finding()
            self.post_message(told.FindingEnded())
        self._load()
        self._loaded()

    def show_again(self, source: TranscriptSource) -> None:
        """The same chat from another source that knows more of it: what the user sees stays where it is."""
        before, old = self._around.source, self._document
        first = before.messages[0].id if before is not None and before.messages else None
        self._around = Surroundings(source, self._clock)
        self._document = Document(self._around, old.palette, old.name)
        self._document.width = old.width
        self._forget_notes()
        if not source.messages or source.messages[0].id != first:
            self._end_selection()  # its rows are counted from the first message
        self._load_keeping(old)
        self._find_anew()
        self._loaded()

    def _loaded(self) -> None:
        self._settle(None)
        if self.has_focus:
            self._keep_cursor()
            self._repaint()
        self._tell()
        self._wake()

    def _end_selection(self) -> None:
        if self.is_attached and self.screen.selections:
            self.screen.clear_selection()

    def part_changed(self, message_id: str, part_index: int) -> None:
        """Note that a part was added or grew; the next tick draws it.

        What comes faster than it is drawn is split here: all at once, in the tick, it would hold up keys.
        """
        hot = self._hot
        if part_index != hot[1] or message_id != hot[0]:
            self._hot = hot = (message_id, part_index)
            self._parts[hot] = None
        elif not self._reset:
            self._document.read_ahead(message_id, part_index)
        self._noted = True
        if not self._awake:
            self._wake()

    def apply(self, change: SessionChange) -> None:
        """Note a change; the next tick draws it."""
        from kai_tui.services.changes import MessageAdded, MessageChanged, MessagesReset, PartChanged

        if isinstance(change, PartChanged):
            self.part_changed(change.message_id, change.part_index)
            return
        if isinstance(change, MessagesReset):
            self._reset = True
        elif isinstance(change, MessageChanged):
            if change.old_id is not None:
                self._renamed.append((change.old_id, change.message_id))
            self._changed[change.message_id] = None
        elif isinstance(change, MessageAdded):
            self._changed[change.message_id] = None
        else:
            self._turned = True
        self._noted = True
        if not self._awake:
            self._wake()

    @property
    def follow(self) -> bool:
        """Whether the end is followed."""
        return self._following

    @follow.setter
    def follow(self, value: bool) -> None:
        if value:
            self.jump_to_end()
        else:
            self._set_following(False)

    def set_welcome(self, lines: Sequence[str]) -> None:
        """What an empty chat shows: a heading, then suggested first questions."""
        self._welcome = list(lines)
        if not self._document.message_count:
            self._document.drop_loose()
            self._loose()
            self._settle(None)

    # -- the tick ----------------------------------------------------------------------------

    def on_mount(self) -> None:
        self._ticker = self.set_interval(FRAME, self._tick)
        self._awake = True

    def _wake(self) -> None:
        if self._ticker is not None and not self._awake:
            self._awake = True
            self._ticker.resume()

    def _busy(self) -> bool:
        """Whether something shown changes with time."""
        source = self._around.source
        if source is None:
            return False
        turn = source.turn
        return turn.busy or turn.countdown is not None

    def _tick(self) -> None:
        now = time.perf_counter()
        if now < self._next_draw:
            return
        timed = self._busy() and now - self._last_clock >= CLOCK
        if not self._noted and not timed:
            if not self._busy() and self._ticker is not None:
                self._awake = False
                self._ticker.pause()
            return
        if timed:
            self._last_clock = now
        self._draw_changes()
        cost = time.perf_counter() - now
        self._next_draw = now + max(FRAME * 0.9, SHARE * cost)

    def _forget_notes(self) -> None:
        self._parts.clear()
        self._hot = ("", -1)
        self._changed.clear()
        self._renamed.clear()
        self._reset = self._turned = False
        self._noted = False

    def _draw_changes(self) -> None:
        """Bring the document up to date and paint what is different."""
        source = self._around.source
        if source is None:
            self._forget_notes()
            return
        document = self._document
        self._around.counting = self._selection is not None
        if self._reset or len(source.messages) < document.message_count:
            anchor = None
            self._load_keeping(document)
            self._find_anew()
        else:
            anchor = None if self._following else document.place(self._top)
            before = document.total
            if self.finding:
                changed = {*self._changed, *(each for each, _ in self._parts)}
                gone = [old for old, _ in self._renamed]
                self._look_again(changed, known=document.message_count, gone=gone)
            self._sync(source)
            if not self._following:
                self._unseen += max(0, document.total - before)
        self._forget_notes()
        self._settle(anchor)
        if self.has_focus:
            self._keep_cursor()
        self._tell()

    def _load_keeping(self, before: Document) -> None:
        """Load everything anew, instead of what `before` shows; what is at the top of the window stays there."""
        standing = None if self._following or not before.width else before.standing(self._top)
        last = before.last_id
        self._load(before)
        document = self._document
        row = document.row_standing(standing) if standing is not None else None
        if row is not None:
            self._resize_virtual()
            self._go(max(0, row))
        if not self._following and last is not None:
            self._unseen += document.lines_after(last)

    def _load(self, before: Document | None = None) -> None:
        source = self._around.source
        self._document.load(source.messages if source is not None else (), before)
        if self._cursor is not None:
            # The server's copy was read anew: the cursor stays where it was.
            self._left_at = self._cursor.key
            self._cursor = None
        self._loose()

    def _sync(self, source: TranscriptSource) -> None:
        document = self._document
        for old_id, new_id in self._renamed:
            document.rename(old_id, new_id)
        messages = source.messages
        known = document.message_count
        touched: dict[int, Block] = {}
        if len(messages) > known:
            if known:
                touched[known - 1] = document.blocks[known - 1]
            for message in messages[known:]:
                block = document.append(message)
                touched[block.index] = block
        for message_id in self._changed:
            block = document.block_of(message_id)
            message = source.find(message_id)
            if block is None or message is None:
                continue
            touched[block.index] = block
            if block.message is not message:
                document.replace(block, message)
            elif block.items:
                block.items[0].forget()
        if document.message_count:
            last = document.blocks[document.message_count - 1]
            if self._turned:
                touched[last.index] = last
            for unit in last.units:
                if unit.timed():
                    self._parts[(last.message.id if last.message else "", unit.part_index)] = None
        for block in touched.values():
            document.sync(block)
        for message_id, part_index in self._parts:
            block = document.block_of(message_id)
            if block is not None and block.index not in touched:
                document.sync_part(block, part_index)
        self._loose()

    def _loose(self) -> None:
        """The activity line at the end, or the welcome of an empty chat."""
        if self._around.source is None and not self._welcome:
            return
        from kai_tui.ui.transcript.renderers.activity import ActivityUnit, WelcomeUnit, activity_text

        document = self._document
        loose = document.loose
        text = activity_text(self._around, document.name)
        if loose is not None and text is not None and isinstance(loose.units[0], ActivityUnit):
            loose.units[0].text = text
            document.sync(loose)
            return
        if loose is not None and text is None and not document.message_count:
            return
        document.drop_loose()
        if text is not None:
            document.append_loose(lambda block: ActivityUnit(block, text))
        elif not document.message_count and self._welcome:
            document.append_loose(lambda block: WelcomeUnit(block, self._welcome))


__all__ = ["Transcript", "TranscriptSource"]

"""The change and what is sent for it: side by side where there is room, else one after the other in one scroll."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget

from kai_tui.ui.modals.argument_view import ArgumentView, Row, passages
from kai_tui.ui.modals.reading_view import GAP, Paragraph, Passage, ReadingView

TWO_PANES = 120
"""Columns of the window from which on there are two."""
LEAST_ROWS = 3
"""Fewer only where the window has no more."""

_SCROLLS = {
    "up": "scroll_up",
    "down": "scroll_down",
    "pageup": "scroll_page_up",
    "pagedown": "scroll_page_down",
    "home": "scroll_home",
    "end": "scroll_end",
    "ctrl+home": "scroll_home",
    "ctrl+end": "scroll_end",
}
COVERED = "Approve is off while a message lies over this"
_CHANGE, _SENT = "What changes", "Exactly what is sent"


class Panes(Horizontal):
    """Keys scroll both panes at once: nothing in a question has the focus."""

    DEFAULT_CSS = """
    Panes { height: auto; }
    Panes ReadingView {
        width: 1fr;
        border-top: solid $border-blurred;
        border-title-color: $text-muted;
        border-title-style: bold;
        border-title-align: left;
    }
    Panes #review { display: none; margin-right: 1; }
    Panes.-two #review { display: block; }
    Panes.-tiny ReadingView { border-top: none; padding: 0; }
    """

    def __init__(self, rows: Sequence[Row], *, on_end: Callable[[], None], name: str = _SENT) -> None:
        """`name`: what the arguments are called."""
        super().__init__(id="panes")
        self._on_end = on_end
        self.covered = False
        """Whether a toast lies over the question."""
        self._name = name
        self._sent = passages(rows)
        self._change: Sequence[Paragraph] = ()
        self._words = ""
        self._wide = False
        self._after: Sequence[Paragraph] = ()
        self._spread_as: object = None
        self._review = ReadingView((), id="review", on_end=on_end)
        self._arguments = ArgumentView(rows, id="arguments", on_end=on_end)

    def compose(self) -> ComposeResult:
        self._name_panes()
        yield self._review
        yield self._arguments

    @property
    def two(self) -> bool:
        """Whether both panes are there."""
        return self._wide and bool(self._change)

    @property
    def _shown(self) -> Sequence[ReadingView]:
        return (self._review, self._arguments) if self.two else (self._arguments,)

    @property
    def end_seen(self) -> bool:
        """Whether the last line of all that is shown was on screen."""
        return all(view.end_seen for view in self._shown)

    @property
    def news_above(self) -> bool:
        """Whether something came that was not on screen yet, above what is."""
        return any(view.news_at is not None and view.news_at < view.scroll_offset.y for view in self._shown)

    def say(self, words: str) -> None:
        """Say where the present values are, in the name of the pane: nothing moves by it."""
        self._words = words
        self._name_panes()

    def show(self, change: Sequence[Paragraph], after: Sequence[Paragraph] = ()) -> bool:
        """Show this change from now on, and `after` behind what is sent; True when something else is to be read
        by that."""
        self._change, self._after = change, after
        return self._spread()

    def use_width(self, window: int) -> bool:
        """Use the room of a window of that many columns; whether there are two panes."""
        self._wide = window >= TWO_PANES
        self._spread()
        return self.two

    def use_rows(self, rows: Sequence[Row]) -> None:
        """Show other arguments from now on."""
        self._sent = passages(rows)
        self._spread_as = None
        self._spread()

    def _spread(self) -> bool:
        """Give both views their paragraphs."""
        two = self.two
        self.set_class(two, "-two")
        self._name_panes()
        spread_as = (two, self._change, self._after)
        if spread_as == self._spread_as:
            return False
        self._spread_as = spread_as
        sent = [*self._sent, GAP, *self._after] if self._after else self._sent
        one_scroll = sent
        if self._change and not two:
            one_scroll = [*self._change, GAP, Passage(self._name, "divider", fill="rule"), *sent]
        news = self._arguments.show(one_scroll)
        return self._review.show(self._change if two else ()) or news

    def _name_panes(self) -> None:
        change = f"{_CHANGE} · {self._words}" if self._words else _CHANGE
        self._review.border_title = Content(f" {change} ")
        self._arguments.border_title = Content(f" {change if self._change and not self.two else self._name} ")

    def fit(self, room: int) -> bool:
        """Take up to `room` rows, as many as there are lines; True when that is so already."""
        most = 0
        for view in self._shown:
            frame = view.outer_size.height - view.size.height
            most = max(most, view.fold_to(view.size.width - 1) + frame)
        height = max(1 if self.has_class("-tiny") else LEAST_ROWS + 1, min(most, room))
        fits = True
        for view in self._shown:
            if view.outer_size.height != height:
                view.styles.height = height
                fits = False
        return fits

    def look(self) -> None:
        """Note what is on screen now. Called after a paint, never before one.

        While a toast lies over the question nothing counts as seen (A4).
        """
        around = self.parent.region if isinstance(self.parent, Widget) else self.region
        covered = any(toast.region.overlaps(around) for toast in self.screen.query("Toast"))
        if covered != self.covered:
            self.covered = covered
            self._on_end()
        if not covered:
            for view in self._shown:
                view.look()

    def scroll_by(self, key: str) -> bool:
        """Scroll everything by a key; False when it is none that scrolls."""
        scroll = _SCROLLS.get(key)
        if scroll is None:
            return False
        for view in self._shown:
            getattr(view, scroll)(animate=False)
        return True

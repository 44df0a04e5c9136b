"""Between the prompt and the list above it: which rows there are, and what keys mean while it is open.

Everything happens while the prompt handles the key, so fast typing stays in order; the list is only drawn after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias

from textual import events
from textual.screen import Screen

from kai_tui.ui.widgets.composer import Composer
from kai_tui.ui.widgets.popover import Popover, PopoverRow

Way: TypeAlias = Literal["tab", "enter"]


class Offer(Protocol):
    """What is offered for what is being typed. It lives as long as the list is open."""

    rows: Sequence[PopoverRow]
    title: str
    """Raw."""
    hint: str
    """Ours."""
    empty: str
    """Said when nothing fits; without it the list closes then."""
    step: int
    """Rows the cursor has to move because of the key that was typed last."""

    def follow(self) -> bool:
        """The prompt changed: other rows. False: it is about something else now."""
        ...

    def take(self, number: int, way: Way) -> bool:
        """A row was chosen. True: the list closes."""
        ...

    def moved(self, number: int) -> None:
        """The cursor is on this row."""
        ...

    def typed(self, event: events.Key | events.Paste) -> bool:
        """A key that does not move or choose. True: it was meant for the list, not for the prompt."""
        ...

    def dropped(self) -> None:
        """The list closes without a choice."""
        ...


Finder: TypeAlias = Callable[[], Offer | None]
"""Looks at the prompt: what could be offered, if anything."""


class CompletionDesk:
    """The prompt's helper on a screen."""

    def __init__(self, composer: Composer, screen: Screen[None], finders: Sequence[Finder]) -> None:
        self._composer = composer
        self._screen = screen
        self._finders = finders
        self._offer: Offer | None = None
        self._cursor = 0
        self._popover: Popover | None = None
        self._shut: str | None = None
        """What stood before the cursor when the list was closed with Esc: it stays shut for that word."""

    @property
    def open(self) -> bool:
        """Whether the list is there and hears keys."""
        return self._offer is not None

    # What the prompt tells

    def takes(self, event: events.Key | events.Paste) -> bool:
        """Whether a key or a paste is meant for the list."""
        offer = self._offer
        if offer is None:
            return False
        if isinstance(event, events.Paste):
            rows = offer.rows
            taken = offer.typed(event)
            self._refill(rows)
            return taken
        key = event.key
        if key in ("up", "down"):
            self._move(-1 if key == "up" else 1)
        elif key in ("tab", "enter"):
            if offer.rows:
                self.choose(self._cursor, "tab" if key == "tab" else "enter")
            elif not offer.empty:
                return False
        elif key == "escape":
            self._shut = self._word()
            self.close()
        else:
            rows = offer.rows
            if not offer.typed(event):
                return False
            if offer.step and offer.rows is rows:
                self._move(offer.step)
                offer.step = 0
            else:
                self._refill(rows)
        return True

    def edited(self) -> None:
        """Something was typed or pasted, or the cursor moved."""
        if self._offer is not None:
            rows = self._offer.rows
            if self._offer.follow() and (self._offer.rows or self._offer.empty):
                self._refill(rows)
                return
            self.close()
        if self._shut is not None:
            if self._word().startswith(self._shut):
                return
            self._shut = None
        for find in self._finders:
            offer = find()
            if offer is not None and offer.rows:
                self.begin(offer)
                return

    def left(self) -> None:
        """The prompt holds something else now, or the keys go elsewhere."""
        self._shut = None
        self.close()

    def moved(self) -> None:
        """The prompt stands elsewhere, or is as wide or high as it was not."""
        if self._offer is not None:
            self._screen.call_after_refresh(self._draw)

    # The list

    def begin(self, offer: Offer) -> None:
        """Offer this from now on."""
        self.close()
        self._offer = offer
        self._cursor = 0
        if offer.rows:
            offer.moved(0)
        self._draw()

    def close(self) -> None:
        """Offer nothing."""
        offer, self._offer = self._offer, None
        if offer is not None:
            offer.dropped()
        if self._popover is not None:
            self._popover.close()

    def choose(self, number: int, way: Way) -> None:
        """Take a row: with Tab, with Enter, or with a click, which is an Enter."""
        offer = self._offer
        if offer is None or not 0 <= number < len(offer.rows):
            return
        if offer.take(number, way):
            if self._offer is offer:
                self._offer = None
                if self._popover is not None:
                    self._popover.close()
        elif self._offer is offer:
            self.edited()

    def refill(self) -> None:
        """What is offered may have become more: something was read meanwhile."""
        self.edited()

    def _refill(self, before: Sequence[PopoverRow]) -> None:
        offer = self._offer
        if offer is None or offer.rows is before:
            return
        self._cursor = 0
        if offer.rows:
            offer.moved(0)
        self._draw()

    def _move(self, by: int) -> None:
        offer = self._offer
        if offer is not None and offer.rows:
            self._cursor = (self._cursor + by) % len(offer.rows)
            offer.moved(self._cursor)
            self._draw()

    def _draw(self) -> None:
        offer = self._offer
        if offer is None or not self._screen.is_mounted:
            return
        popover = self._popover
        if popover is None:
            popover = self._popover = Popover(id="popover")
            self._screen.mount(popover)
        if not popover.is_mounted:
            self._screen.call_after_refresh(self._draw)
            return
        popover.fill(offer.rows, self._cursor, offer.title, offer.hint, offer.empty)
        popover.place(self._composer.region)

    def _word(self) -> str:
        """What stands before the cursor, from the last space on."""
        row, column = self._composer.cursor_location
        before = self._composer.document[row][:column]
        return before[max(before.rfind(" "), before.rfind("\t")) + 1 :]

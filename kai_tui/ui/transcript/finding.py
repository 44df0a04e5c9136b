"""Where something stands in a whole conversation: looked for message by message, in slices, without drawing.

What is looked through is what can be shown: prose as it is read, tool calls with their arguments and results,
thoughts; folded or not. A message whose text cannot hold the words is passed over without being read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from kai_tui.conversation.find_text import Matcher
from kai_tui.ui.transcript.items import Block, Surroundings, Unit
from kai_tui.ui.transcript.strips import texts

if TYPE_CHECKING:
    from kai_tui.conversation.messages import Message

MOST_KEPT = 8_000_000
"""Characters of rows that are kept while something is looked for; a message beyond is read again each time."""
_MOST_SPOTS = 100
"""Messages whose spots are kept; one goes through them one by one."""
_EVERYTHING = 9
"""Deeper than anything can be opened."""


class Spot(NamedTuple):
    """One place where it stands; in the order of a message's spots."""

    message_id: str
    unit: int
    """Number of the unit."""
    item: int
    """Of the unit when it is opened as far as it can be."""
    row: int
    """Of the item, the empty row before it not counted."""
    start: int
    end: int


class ReadRow(NamedTuple):
    """A row that can be shown, as far as it is looked through."""

    unit: int
    item: int
    row: int
    text: str


class NotLooked(LookupError):
    """What was asked for is not known yet."""


class Finder:
    """Looks for one query at a time. `work` does some of it; `spots` says what was found so far."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.matcher = Matcher("")
        self.total = 0
        self._found: dict[str, int] = {}
        """How often, of each message that was looked through."""
        self._spots: dict[str, Sequence[Spot]] = {}
        """Where, of the messages that were asked for."""
        self._old: set[str] = set()
        """Messages that changed since."""
        self._rows: dict[str, list[ReadRow]] = {}
        self._kept = 0
        self._order: list[int] = []
        """Messages that are still to be looked through, the next one last."""
        self._reading: tuple[str, Iterator[None]] | None = None
        self.reads = 0
        """Messages whose rows were read so far; tests bound it."""

    # -- what to look for --------------------------------------------------------------------

    def seek(self, query: str, begin: int = 0) -> None:
        """Look for something else; the messages around index `begin` first, then those above, then those below."""
        before, self.matcher = self.matcher, Matcher(query)
        # What held nothing holds nothing of more.
        found = self._found.items() if self.matcher.narrows(before) else ()
        self._found = {each: 0 for each, count in found if not count and each not in self._old}
        self._old.clear()
        self._spots.clear()
        self._reading = None
        self.total = 0
        count = len(self._messages)
        begin = max(0, min(begin, count - 1))
        if not self.matcher:
            self._order = []
            return
        self._order = [*range(count - 1, begin, -1), *range(begin + 1)]

    @property
    def _messages(self) -> Sequence[Message]:
        source = self._around.source
        return source.messages if source is not None else ()

    @property
    def complete(self) -> bool:
        """Whether every message was looked through, be it before it changed."""
        return len(self._found) >= len(self._messages) or not self.busy

    @property
    def busy(self) -> bool:
        """Whether there is more to do."""
        return bool(self._order) or self._reading is not None

    def forget(self, message_ids: Iterable[str]) -> None:
        """These messages changed: they are looked through again soon; until then what was found counts."""
        changed = set(message_ids)
        for message_id in changed:
            self._spots.pop(message_id, None)
            self._kept -= sum(len(row.text) for row in self._rows.pop(message_id, ()))
            if self._reading is not None and self._reading[0] == message_id:
                self._reading = None
        if not self.matcher:
            return
        for index, message in enumerate(self._messages):
            if message.id in changed:
                self._old.add(message.id)
                self._order.append(index)

    def drop(self, message_id: str) -> None:
        """No message has this id any more."""
        self._rows.pop(message_id, None)
        self._spots.pop(message_id, None)
        self.total -= self._found.pop(message_id, 0)

    def grown(self, known: int) -> None:
        """There are more messages than `known`."""
        if self.matcher:
            self._order[:0] = range(len(self._messages) - 1, known - 1, -1)

    # -- looking -----------------------------------------------------------------------------

    def work(self, seconds: float) -> bool:
        """Look through messages for about so long; whether there is more to do."""
        end = perf_counter() + seconds
        while self.busy and perf_counter() < end:
            self._step()
        return self.busy

    def _step(self) -> None:
        if self._reading is None:
            index = self._order.pop()
            messages = self._messages
            if index >= len(messages):
                return
            message_id = messages[index].id
            if message_id in self._found and message_id not in self._old:
                return
            self._reading = (message_id, self._look(messages[index]))
        if next(self._reading[1], self) is self:
            self._reading = None

    def _look(self, message: Message) -> Iterator[None]:
        """Look through one message, item by item."""
        find = self.matcher.find
        kept = self._rows.get(message.id)
        rows: list[ReadRow] = kept if kept is not None else []
        count = 0
        if kept is None:
            if not message.may_hold(self.matcher.may_be_in):
                self._keep(message.id, 0)
                return
            self.reads += 1
            size = 0
            for row in readable_rows(message, self._around):
                if row is None:
                    yield
                    continue
                rows.append(row)
                size += len(row.text)
            if self._kept + size <= MOST_KEPT:
                self._rows[message.id] = rows
                self._kept += size
        for number, row in enumerate(rows):
            count += len(find(row.text))
            if not number % 200:
                yield
        self._keep(message.id, count)

    def _keep(self, message_id: str, count: int) -> None:
        self.total += count - self._found.get(message_id, 0)
        self._found[message_id] = count
        self._spots.pop(message_id, None)
        self._old.discard(message_id)

    # -- what was found ----------------------------------------------------------------------

    def spots(self, message_id: str) -> Sequence[Spot]:
        """What was found in a message so far."""
        if not self._found.get(message_id):
            return ()
        found = self._spots.get(message_id)
        if found is None:
            if len(self._spots) > _MOST_SPOTS:
                self._spots.clear()
            found = self._spots[message_id] = self._places(message_id)
        return found

    def _places(self, message_id: str) -> Sequence[Spot]:
        rows = self._rows.get(message_id)
        if rows is None:
            source = self._around.source
            message = source.find(message_id) if source is not None else None
            found = readable_rows(message, self._around) if message is not None else ()
            rows = [row for row in found if row is not None]
        return [
            Spot(message_id, row.unit, row.item, row.row, *span)
            for row in rows
            for span in self.matcher.find(row.text)
        ]

    def number_of(self, spot: Spot) -> int | None:
        """How many there are up to this one, itself included; None while that is not known."""
        number = 0
        for message in self._messages:
            count = self._found.get(message.id)
            if count is None:
                return None
            if message.id == spot.message_id:
                spots = self.spots(message.id)
                return number + spots.index(spot) + 1 if spot in spots else None
            number += count
        return None

    def next(
        self, index: int, beyond: Callable[[Spot], bool], direction: int, until: int | None = None
    ) -> Spot | None:
        """The nearest spot in a direction (1 down, -1 up) from message `index`, there only of those `beyond` says
        yes to; up to message `until` (not included).

        Raises:
            NotLooked: a message on the way was not looked through yet.
        """
        messages = self._messages
        stop = until if until is not None else (len(messages) if direction > 0 else -1)
        for at in range(index, stop, direction):
            count = self._found.get(messages[at].id)
            if count is None:
                raise NotLooked
            if not count:
                continue
            spots = self.spots(messages[at].id)
            for spot in spots if direction > 0 else reversed(spots):
                if at != index or beyond(spot):
                    return spot
        return None


def readable_rows(message: Message, around: Surroundings) -> Iterator[ReadRow | None]:
    """Everything a message can show, opened as far as it can be; None between two items."""
    from kai_tui.ui.transcript.code import without_colours
    from kai_tui.ui.transcript.units import choice_units, offered_by, unit_for

    block = Block(0, message, around)
    for index, part in enumerate(message.parts):
        unit = unit_for(block, message, index, part)
        if unit is not None:
            block.units.append(unit)
            if unit.findable:
                unit.open_to(_EVERYTHING)
                unit.sync()
                yield None
    units: list[Unit] = [unit for unit in block.units if unit.findable]
    if message.role == "assistant":
        for unit in choice_units(block, offered_by(block, message)):
            unit.sync()
            units.append(unit)
    for unit in units:
        for index, item in enumerate(unit.items):
            with without_colours():
                found = texts(unit.blocks(item))
            for row, text in enumerate(found):
                if text.text and text.findable != 0:
                    yield ReadRow(unit.number, index, row, text.text[: text.findable])
            yield None

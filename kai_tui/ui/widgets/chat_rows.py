"""Which line of the list of chats shows what: day headers and chats, filtered. Knows no screen.

Lines are plain integers in one list, so that 50,000 chats cost milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kai_tui.backends.base import ChatSummary

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
UNDATED = "Earlier"


class ChatRows:
    """The lines for some chats, newest first."""

    def __init__(self, chats: Sequence[ChatSummary], now: datetime) -> None:
        """`now` without a time zone means this computer's own."""
        self.chats = chats
        self._now = now
        self._folded: list[str] | None = None
        self._needle = ""
        self._shown: Sequence[int] = range(len(chats))
        self._place: dict[str, int] | None = None
        self.headers: list[str] = []
        self.lines: list[int] = []
        """What each line shows: the index of a chat, or -1 - index of a header."""
        self._build()

    def filter(self, needle: str) -> None:
        """Keep only chats whose title has every word of `needle`, whatever its case."""
        needle = " ".join(needle.casefold().split())
        if needle == self._needle:
            return
        if self._folded is None:
            self._folded = [chat.title.casefold() for chat in self.chats]
        folded, words = self._folded, needle.split()
        # A longer needle can only find less; but "a b" → "a bc" has another last word, so test all words.
        among = self._shown if self._needle and needle.startswith(self._needle) else range(len(self.chats))
        if len(words) == 1:
            word = words[0]
            self._shown = [index for index in among if word in folded[index]]
        elif words:
            self._shown = [index for index in among if all(word in folded[index] for word in words)]
        else:
            self._shown = range(len(self.chats))
        self._needle = needle
        self._build()

    @property
    def needle(self) -> str:
        """What is filtered for; empty when all chats are shown."""
        return self._needle

    @property
    def count(self) -> int:
        """How many chats are shown."""
        return len(self._shown)

    def chat_at(self, line: int) -> ChatSummary | None:
        """The chat on a line; None on a header and outside."""
        if 0 <= line < len(self.lines):
            index = self.lines[line]
            if index >= 0:
                return self.chats[index]
        return None

    def header_at(self, line: int) -> str | None:
        """The day header on a line; None on a chat and outside."""
        if 0 <= line < len(self.lines):
            index = self.lines[line]
            if index < 0:
                return self.headers[-1 - index]
        return None

    def line_of(self, chat_id: str) -> int | None:
        """The line of a chat; None when it is not shown."""
        if self._place is None:
            chats = self.chats
            self._place = {chats[index].id: line for line, index in enumerate(self.lines) if index >= 0}
        return self._place.get(chat_id)

    def nearest(self, line: int, direction: int = 1) -> int | None:
        """The line of the next chat from `line` on (itself included), looked for the other way after that."""
        for step in (direction, -direction):
            at = max(0, min(line, len(self.lines) - 1))
            while 0 <= at < len(self.lines):
                if self.lines[at] >= 0:
                    return at
                at += step
        return None

    def _build(self) -> None:
        self._place = None
        self.headers, self.lines = [], []
        lines, chats = self.lines, self.chats
        day: date | None = None
        low = high = ""
        for index in self._shown:
            chat = chats[index]
            stamp = chat.updated_at or chat.created_at
            # Most neighbours are of one day: comparing the server's own text saves parsing it.
            if not (low <= stamp < high and stamp.endswith("Z")):
                found = self._day(stamp) or day
                if found is None:
                    if not self.headers:
                        self._head(UNDATED)
                elif day is None or found < day:
                    # Never back up: a row out of order stays with the day above it.
                    day = found
                    low, high = self._bounds(day)
                    self._head(day_name(day, self._now.date()))
            lines.append(index)

    def _head(self, name: str) -> None:
        self.headers.append(name)
        self.lines.append(-len(self.headers))

    def _day(self, stamp: str) -> date | None:
        """The local day of a time stamp; a day to come counts as today."""
        try:
            when = datetime.fromisoformat(stamp)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        try:
            return min(when.astimezone(self._now.tzinfo).date(), self._now.date())
        except (OverflowError, OSError):
            return None

    def _bounds(self, day: date) -> tuple[str, str]:
        """First second of a local day and of the next, in UTC as servers write it."""
        zone = self._now.tzinfo
        start = datetime.combine(day, time(), tzinfo=zone)
        try:
            end = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
            return (
                start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
                end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            )
        except (OverflowError, OSError):
            return ("", "")


def day_name(day: date, today: date) -> str:
    """How a day is called: Today, Yesterday, Thursday, 12 November, 12 November 2025."""
    ago = (today - day).days
    if ago <= 0:
        return "Today"
    if ago == 1:
        return "Yesterday"
    if ago < 7:
        return _DAYS[day.weekday()]
    name = f"{day.day} {_MONTHS[day.month - 1]}"
    return name if day.year == today.year else f"{name} {day.year}"

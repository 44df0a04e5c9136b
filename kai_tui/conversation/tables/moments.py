"""Days and points in time as cells write them: ISO 8601, and 31.12.2026, where nothing else could be meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from kai_tui.conversation.tables.blank import BLANK, BLANK_PATTERN

_DATE: Final = re.compile(r"(\d{4})([-/])(\d\d)\2(\d\d)|(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})", re.ASCII)
_DATES: Final = re.compile(rf"{_DATE.pattern}|{BLANK_PATTERN}", re.ASCII)
_TIMESTAMPS: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|[-+]\d\d(?::?\d\d)?))?)?"
    rf"|{BLANK_PATTERN}",
    re.ASCII,
)


def are_dates(cells: Sequence[str]) -> bool:
    """Whether every filled cell is a day of the calendar."""
    return all(map(_DATES.fullmatch, cells)) and all(map(_day, set(cells) - BLANK))


def are_timestamps(cells: Sequence[str]) -> bool:
    """Whether every filled cell is a point in time (or a day among those)."""
    return all(map(_TIMESTAMPS.fullmatch, cells)) and all(map(_moment, set(cells) - BLANK))


def moments(cells: Sequence[str]) -> list[datetime | None]:
    """Dates and timestamps as points in time; None where nothing is. Without a zone they are taken as UTC."""
    return [None if cell in BLANK else (_day(cell) or _moment(cell)) for cell in cells]


def _day(text: str) -> datetime | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, _, month, day, other_day, other_month, other_year = found.groups()
    try:
        if year:
            return datetime(int(year), int(month), int(day), tzinfo=UTC)
        return datetime(int(other_year), int(other_month), int(other_day), tzinfo=UTC)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace(",", ".").replace("UTC", "").strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

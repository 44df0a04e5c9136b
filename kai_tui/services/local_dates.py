"""Moments of the server as days of the user: "1 Dec", or "Dec 1" where that is the custom."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_FIRST = ("US", "PH", "FM", "PW", "CN", "TW", "HK", "JP", "KR", "HU", "LT", "MN")
"""Countries where the month is written before the day."""
_MONTH_FIRST_LANGUAGES = ("English_United States", "Chinese", "Japanese", "Korean", "Hungarian")
"""What Windows calls some of them."""


def moment(text: str) -> datetime | None:
    """An ISO 8601 moment of a server, UTC when it names no zone; None for junk and for a bare day."""
    text = text.strip()
    if not 11 < len(text) < 60:
        return None
    try:
        found = datetime.fromisoformat(text)
        found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
        found.timestamp()
        # Whoever shows it wants to compare it, in any zone.
        return found if 1971 <= found.year <= 9000 else None
    except (ValueError, OverflowError, OSError):
        return None


def _day(text: str, zone: tzinfo | None) -> date | None:
    found = moment(text)
    if found is not None:
        return found.astimezone(zone).date()
    try:
        # A bare day is that day everywhere.
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def has_passed(text: str, now: datetime) -> bool:
    """Whether a moment lies behind `now` (aware); False for junk."""
    found = moment(text)
    return found is not None and found <= now


def short_day(
    text: str, *, today: date | None = None, zone: tzinfo | None = None, month_first: bool | None = None
) -> str:
    """The day of a server's moment in the user's zone and order; empty for junk.

    With the year only when it is more than eleven months from `today`. `zone` None: this computer's.
    """
    day = _day(text, zone)
    if day is None:
        return ""
    today = today or date.today()
    month = _MONTHS[day.month - 1]
    first = months_come_first() if month_first is None else month_first
    words = f"{month} {day.day}" if first else f"{day.day} {month}"
    if abs((day - today).days) > 335:
        words += f", {day.year}" if first else f" {day.year}"
    return words


def months_come_first(environ: Mapping[str, str] | None = None) -> bool:
    """Whether the user's locale writes the month before the day. Day first when nothing is known."""
    environ = os.environ if environ is None else environ
    for name in ("LC_ALL", "LC_TIME", "LANG"):
        value = environ.get(name, "")
        if value and value.split(".")[0] not in ("C", "POSIX"):
            return value.split(".")[0].split("@")[0].rpartition("_")[2].upper() in _MONTH_FIRST
    if os.name != "nt":
        return False
    import locale

    return (locale.getlocale()[0] or "").startswith(_MONTH_FIRST_LANGUAGES)

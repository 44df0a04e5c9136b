"""A crontab line in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS: Final = [
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
]
_EVERY: Final = re.compile(r"\*/(\d{1,2})")
_RANGE: Final = re.compile(r"(\w+)-(\w+)")
_NICKNAMES: Final = {
    "@hourly": "every hour, on the hour",
    "@daily": "every day at 00:00",
    "@midnight": "every day at 00:00",
    "@weekly": "every Sunday at 00:00",
    "@monthly": "on day 1 of every month at 00:00",
    "@yearly": "on 1 January at 00:00",
    "@annually": "on 1 January at 00:00",
}
_MOST_TIMES: Final = 6


def cron_words(line: str) -> str:
    """`55 2 * * 6,0` → "every Saturday and Sunday at 02:55". Empty where it is no crontab line of five fields."""
    fields = line.split()
    if len(fields) != 5:
        return _NICKNAMES.get(line.strip().lower(), "")
    minute, hour, day, month, weekday = fields
    time = _time(minute, hour)
    days = _days(day, month, weekday)
    if time is None or days is None:
        return ""
    if days == "every day" and time.startswith("every"):
        return time
    return f"{days} {time}" if time.startswith("at ") else f"{time}, {days}"


def _time(minute: str, hour: str) -> str | None:
    step = _EVERY.fullmatch(minute)
    if step or minute == "*":
        number = int(step[1]) if step else 1
        if number == 0 or number > 59:
            return None
        words = "every minute" if number == 1 else f"every {number} minutes"
        within = _hours(hour)
        return None if within is None else words + within
    minutes = _numbers(minute, 0, 59)
    if minutes is None:
        return None
    step = _EVERY.fullmatch(hour)
    if step or hour == "*":
        number = int(step[1]) if step else 1
        if number == 0 or number > 23:
            return None
        often = "every hour" if number == 1 else f"every {number} hours"
        return f"{often}, on the hour" if minutes == [0] else f"{often} at minute {_joined(minutes)}"
    hours = _numbers(hour, 0, 23)
    if hours is None:
        return None
    if len(hours) * len(minutes) <= _MOST_TIMES:
        return f"at {_joined([f'{h:02}:{m:02}' for h in hours for m in minutes])}"
    within = _hours(hour)
    return f"every hour at minute {_joined(minutes)}{within}" if within is not None else None


def _hours(hour: str) -> str | None:
    if hour == "*":
        return ""
    if span := _RANGE.fullmatch(hour):
        numbers = _numbers(hour, 0, 23)
        return f" from {int(span[1]):02}:00 to {int(span[2]):02}:59" if numbers else None
    if step := _EVERY.fullmatch(hour):
        return f" of every {step[1]}. hour"
    numbers = _numbers(hour, 0, 23)
    return f" in the hours {_joined(numbers)}" if numbers is not None else None


def _days(day: str, month: str, weekday: str) -> str | None:
    months = "" if month == "*" else _named(month, _MONTHS, 1, 12)
    if months is None:
        return None
    of_month = f" of {months}" if months else ""
    weekdays = "" if weekday == "*" else _named(weekday, _DAYS, 0, 7)
    if weekdays is None:
        return None
    if day == "*":
        if weekdays:
            return f"every {weekdays}{f' in {months}' if months else ''}"
        return f"every day{f' in {months}' if months else ''}"
    if step := _EVERY.fullmatch(day):
        dates: str | None = f"on every {step[1]}. day"
    else:
        numbers = _numbers(day, 1, 31)
        dates = f"on day {_joined(numbers)}" if numbers is not None else None
    if dates is None:
        return None
    dates += of_month or " of every month"
    return f"{dates} and every {weekdays}{f' in {months}' if months else ''}" if weekdays else dates


def _named(field: str, names: Sequence[str], low: int, high: int) -> str | None:
    numbers = _numbers(field, low, high, [name[:3].lower() for name in names])
    if numbers is None:
        return None
    found = [names[(number - low) % len(names)] for number in numbers]
    if "-" in field and "," not in field and len(found) > 2:
        return f"{found[0]} to {found[-1]}"
    return _joined(list(dict.fromkeys(found)))


def _numbers(field: str, low: int, high: int, names: Sequence[str] = ()) -> list[int] | None:
    """The numbers of a list with ranges; None for anything else."""
    found: list[int] = []
    for item in field.split(","):
        span = _RANGE.fullmatch(item)
        ends = [_number(part, low, names) for part in (span.groups() if span else (item,))]
        if any(end is None or not low <= end <= high for end in ends):
            return None
        numbers = [end for end in ends if end is not None]
        if numbers[0] > numbers[-1]:
            return None
        found += range(numbers[0], numbers[-1] + 1)
    return found


def _number(text: str, low: int, names: Sequence[str]) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 2:
        return int(text)
    return names.index(text.lower()) + low if text.lower() in names else None


def _joined(items: Sequence[object]) -> str:
    texts = [str(item) for item in items]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"

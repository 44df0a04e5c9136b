"""The month's quota in words: for the status line, before sending, after a refusal, in the about panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.services.local_dates import short_day
from kai_tui.services.quota import level_of

if TYPE_CHECKING:
    from kai_tui.backends.base import Quota


def quota_count(quota: Quota) -> str:
    """`42 of 150 messages`; without a limit `42 messages this month`."""
    if quota.limit <= 0:
        return f"{quota.used:,} messages this month"
    return f"{quota.used:,} of {quota.limit:,} messages"


def quota_line(quota: Quota) -> str:
    """The count, and near its end when there will be new ones."""
    day = short_day(quota.resets)
    if level_of(quota) == "fine" or not day:
        return quota_count(quota)
    return f"{quota_count(quota)} · new ones on {day}"


def used_up(quota: Quota) -> str:
    """Before sending although none is left."""
    day = short_day(quota.resets)
    until = f" until {day}" if day else ""
    return f"This month's messages are used up{until}. Press Enter again to try anyway."


def quota_words(quota: Quota) -> str:
    """After a refusal: `150 of 150 messages of this month are used; new ones on 1 Dec.`"""
    day = short_day(quota.resets)
    new = f"; new ones on {day}" if day else ""
    limit = f" of {quota.limit:,}" if quota.limit > 0 else ""
    return f"{quota.used:,}{limit} messages of this month are used{new}."

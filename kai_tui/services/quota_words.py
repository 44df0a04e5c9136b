"""How much of the plan is used, in a sentence."""

from __future__ import annotations

from datetime import datetime

from kai_tui.backends.base import Quota


def quota_words(quota: Quota) -> str:
    """`150 of 150 messages of this month are used; new ones come on 1 December.`"""
    used = f"{quota.used:,} of {quota.limit:,} messages of this month are used"
    when = _day(quota.resets)
    return f"{used}; new ones come on {when}." if when else f"{used}."


def _day(iso: str) -> str:
    try:
        found = datetime.fromisoformat(iso.replace("Z", "+00:00")).astimezone()
    except ValueError:
        return ""
    return f"{found.day} {found:%B}"

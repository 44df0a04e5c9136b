"""Seconds in words."""

from __future__ import annotations


def words_for(seconds: float | None) -> str:
    """`0.8 s`, `12 s`, `3 min 5 s`; whole numbers stay whole. Empty for None."""
    if seconds is None:
        return ""
    if seconds < 0:
        seconds = 0
    if isinstance(seconds, float) and seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"

"""A sentence of a service for the user."""

from __future__ import annotations

from typing import NamedTuple


class Notice(NamedTuple):
    """One sentence for the user. Foreign text inside is raw."""

    sentence: str
    severity: str = "information"
    """`information`, `warning` or `error`."""
    code: str | None = None
    """`sign-in` asks the screen to offer signing in again; `news` says that the chat has something to be looked at."""

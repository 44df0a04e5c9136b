"""When a dialog may take a decision: only after half a second of quiet (reliability.md A1-A3, A8).

Pure, so that every order of keys, clicks, paints and stalls can be tested without a screen.
"""

from __future__ import annotations

QUIET_SECONDS = 0.5
"""Time without key, mouse, paste, resize or focus change before anything counts."""

STALL_SECONDS = 0.4
"""A longer gap between two beats means that the program or the machine slept: keys read after it
may have been pressed before it."""

BURST_SECONDS = 0.03
"""Two keys closer than this were not pressed one after the other by a person: a paste in a terminal
that does not mark pastes, or a stuck key."""


class Guard:
    """Armed or not. All times are monotonic seconds, of the event rather than of its handling."""

    __slots__ = ("_armed_at", "_beat", "_disturbed", "_hasty", "_last_key", "_moved", "_painted")

    def __init__(self) -> None:
        self._painted = False
        self._disturbed = 0.0
        self._armed_at: float | None = None
        self._beat: float | None = None
        self._last_key: float | None = None
        self._moved: float | None = None
        """When a move counted that no other key followed yet."""
        self._hasty: float | None = None
        """When Enter was pressed right behind that move."""

    @property
    def armed(self) -> bool:
        """Whether decisions count; shown to the user."""
        return self._armed_at is not None

    def painted(self, now: float) -> None:
        """The whole dialog was on screen for the first time."""
        self._painted = True
        self._beat = now
        self.disturb(now)

    def disturb(self, now: float) -> None:
        """Something happened that starts the quiet time again; also takes the arming back."""
        self._disturbed = max(self._disturbed, now)
        self._armed_at = self._moved = self._hasty = None

    def pass_by(self, when: float) -> None:
        """Input that can do no harm (scrolling, moving the mouse): it only delays the arming."""
        self._last_key = when
        self._moved = self._hasty = None
        if not self.armed:
            self.disturb(when)

    def beat(self, now: float) -> bool:
        """Called often. True when `armed` changed."""
        before = self.armed
        if self._beat is not None and now - self._beat > STALL_SECONDS:
            self.disturb(now)
        self._beat = now
        if self._painted and self._armed_at is None and now - self._disturbed >= QUIET_SECONDS:
            self._armed_at = now
        return self.armed != before

    def counts(self, when: float, *, key: bool = False, move: bool = False) -> bool:
        """Whether input of that moment may act; input that may not starts the quiet time again.

        It counts only when the dialog was already seen as armed at that moment, no stall lies in
        between, and it is no part of a burst of keys. `move`: it only moves the mark.
        """
        burst = False
        if key:
            burst = self._last_key is not None and when - self._last_key < BURST_SECONDS
            self._last_key = when
        if self._open_at(when) and not burst:
            self._moved, self._hasty = when if move else None, None
            return True
        self.disturb(when)
        return False

    def is_hasty(self, when: float) -> bool:
        """Whether an Enter of that moment came right behind a single move, faster than most people press keys.

        It counts when nothing but further Enters follows it: `hasty_counts` tells. This is no decision yet.
        """
        if self._hasty is None:
            behind = self._moved is not None and when - self._moved < BURST_SECONDS
            if not (behind and self._open_at(when)):
                return False
            self._hasty = when
        self._last_key = when
        return True

    def hasty_counts(self, now: float) -> bool:
        """Whether a hasty Enter turned out to be one; true once."""
        if self._hasty is None or now - self._hasty < BURST_SECONDS or not self._open_at(now):
            return False
        self._hasty = self._moved = None
        return True

    def _open_at(self, when: float) -> bool:
        stalled = self._beat is not None and when - self._beat > STALL_SECONDS
        return self._armed_at is not None and when > self._armed_at and not stalled

"""Trying again: which failure is worth it, how long to pause, who is told (reliability.md §3, N2).

The only place where anything is sent a second time by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeAlias

from kai_tui.backends.base import BackendError, CannotConnect, ConnectionLost, OnWait, ServerFailed, Waiting

Rule: TypeAlias = Literal["once", "until-reached", "until-answered"]
"""`until-reached`: again only while the server provably was not reached, so that nothing arrives twice.
`until-answered`: also after a loss and a gateway's 502, 503, 504; only for what changes nothing."""

WINDOW = 20.0
"""Seconds from the first try of a read or a delete after which no further one begins."""

_NOT_REACHED = frozenset({"dns", "refused", "unreachable", "timeout", "busy"})
_PASSING = frozenset({502, 503, 504})


class Tries:
    """The tries of one request."""

    def __init__(
        self,
        rule: Rule,
        on_wait: OnWait | None,
        *,
        pauses: Sequence[float],
        window: float | None,
        sleep: Callable[[float], Awaitable[None]],
        jitter: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._rule: Rule = rule
        self._on_wait = on_wait
        self._pauses = pauses
        self._window = window
        self._sleep, self._jitter, self._clock = sleep, jitter, clock
        self._started = clock()
        self._made = 1

    async def another(self, failed: BackendError) -> bool:
        """After a failed try: pauses and returns True when there is to be another one."""
        if self._made > len(self._pauses) or not _worth_it(self._rule, failed):
            return False
        pause = self._pauses[self._made - 1] * self._jitter()
        if self._window is not None and self._clock() - self._started + pause > self._window:
            return False
        self._made += 1
        self._tell(Waiting(failed.sentence, pause, self._made, len(self._pauses) + 1))
        await self._sleep(pause)
        self._tell(None)
        return True

    def _tell(self, waiting: Waiting | None) -> None:
        if self._on_wait is not None:
            self._on_wait(waiting)


def _worth_it(rule: Rule, failed: BackendError) -> bool:
    if rule == "once":
        return False
    if isinstance(failed, CannotConnect):
        return failed.code in _NOT_REACHED
    if rule == "until-reached":
        return False
    if isinstance(failed, ServerFailed):
        return failed.status in _PASSING
    return isinstance(failed, ConnectionLost)

"""The user's votes on the answers of one chat (kai.md §4.8): shown at once, taken back when refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from kai_tui.backends.base import Backend, BackendError


class Votes:
    """Votes can be changed, never withdrawn. One request per answer at a time; the newest wish counts."""

    def __init__(
        self, chat_id: str, backend: Callable[[], Awaitable[Backend]], changed: Callable[[str], None]
    ) -> None:
        """`changed` hears the id of every answer whose vote looks different now."""
        self._chat_id = chat_id
        self._backend = backend
        self._changed = changed
        self._shown: dict[str, bool] = {}
        self._known: dict[str, bool] = {}
        """What the server has, as far as it said."""
        self._cast: set[str] = set()
        """Answers voted on here: what was read meanwhile may be older."""
        self._turns: dict[str, asyncio.Lock] = {}

    def of(self, message_id: str) -> bool | None:
        """True for up, False for down, as it is shown."""
        return self._shown.get(message_id)

    def take(self, votes: Mapping[str, bool]) -> None:
        """Votes read from the server."""
        for message_id, up in votes.items():
            if message_id in self._cast:
                continue
            self._known[message_id] = up
            self._show(message_id, up)

    async def cast(self, message_id: str, up: bool) -> bool:
        """Vote. False when this vote stands already (or is on its way): nothing is sent then.

        Raises:
            BackendError: it was not taken; what stood before is shown again.
        """
        if self._shown.get(message_id) == up:
            return False
        self._cast.add(message_id)
        self._show(message_id, up)
        async with self._turns.setdefault(message_id, asyncio.Lock()):
            if self._shown.get(message_id) == up and self._known.get(message_id) != up:
                await self._send(message_id, up)
        return True

    async def _send(self, message_id: str, up: bool) -> None:
        try:
            backend = await self._backend()
            await backend.vote(self._chat_id, message_id, up)
        except BackendError as error:
            if error.delivery == "unsure":
                await self._read_again(message_id)
            if self._known.get(message_id) == up:
                return
            if self._shown.get(message_id) != up:
                return  # another wish waits for its turn: that one counts
            self._show(message_id, self._known.get(message_id))
            raise
        self._known[message_id] = up

    async def _read_again(self, message_id: str) -> None:
        """It is not known whether the vote arrived: ask what the server has."""
        try:
            votes = await (await self._backend()).votes(self._chat_id)
        except BackendError:
            return
        if message_id in votes:
            self._known[message_id] = votes[message_id]

    def _show(self, message_id: str, up: bool | None) -> None:
        before = self._shown.get(message_id)
        if up is None:
            self._shown.pop(message_id, None)
        else:
            self._shown[message_id] = up
        if before != up:
            self._changed(message_id)

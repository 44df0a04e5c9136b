"""Which of our ids stand for which of the server's, kept from run to run."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from kai_tui.backends.system import Memory

PAIRS_A_PAGE: Final = 200
"""What is written anew for each message."""


class KeptNames:
    """Pairs in pages of some, the last of which grows. Another window may add to the same pages."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._page = 0
        self._new: dict[str, str] = {}
        self._writing: asyncio.Task[None] | None = None

    async def load(self) -> dict[str, str]:
        """All pairs."""
        found: dict[str, str] = {}
        self._page = 0
        while (pairs := await self._read(self._page)) is not None:
            found.update(pairs)
            if len(pairs) < PAIRS_A_PAGE:
                break
            self._page += 1
        return found

    def learn(self, ours: str, theirs: str) -> None:
        """Keep a pair, soon."""
        self._new[ours] = theirs
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="names")

    async def flush(self) -> None:
        """Wait until all is kept."""
        while self._writing is not None and not self._writing.done():
            await asyncio.wait([self._writing])

    async def _write(self) -> None:
        while self._new:
            new, self._new = self._new, {}
            pairs = await self._read(self._page) or {}
            while len(pairs) >= PAIRS_A_PAGE:
                self._page += 1
                pairs = await self._read(self._page) or {}
            pairs.update(new)
            await self._memory.keep(self._name(self._page), json.dumps(pairs))

    async def _read(self, page: int) -> dict[str, str] | None:
        text = await self._memory.recall(self._name(page))
        if text is None:
            return None
        try:
            found: Any = json.loads(text)
        except ValueError:
            return {}
        values = cast("dict[str, object]", found) if isinstance(found, dict) else {}
        return {ours: theirs for ours, theirs in values.items() if isinstance(theirs, str)}

    @staticmethod
    def _name(page: int) -> str:
        return f"names {page}"

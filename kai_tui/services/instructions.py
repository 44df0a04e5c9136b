"""Instructions that are told to Kai before every chat: read, and changed without running over others (kai.md §4.12)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend, Whose
    from kai_tui.services.disk_keeper import DiskKeeper

LONGEST = 4_000
"""Characters the server takes."""


class ChangedElsewhere(Exception):
    """Nothing was sent: the server's text is not the one that was edited."""

    def __init__(self, theirs: str) -> None:
        super().__init__("changed elsewhere")
        self.theirs = theirs


class Instructions:
    """One text of the server, and what it was when it was last seen."""

    def __init__(self, backend: Callable[[], Awaitable[Backend]], keeper: DiskKeeper, whose: Whose) -> None:
        self._backend = backend
        self._keeper = keeper
        self._place = f"instructions of the {whose}"
        """Where typed text is noted."""
        self.whose: Whose = whose
        self._seen: str | None = None

    async def load(self) -> str:
        """The server's text; empty when there is none. Raises BackendError."""
        self._seen = await (await self._backend()).instructions(self.whose)
        return self._seen

    async def save(self, text: str, *, over: str | None = None) -> str:
        """Keep `text`; returns what the server keeps now. An empty text clears.

        The server is asked first. Raises ChangedElsewhere when its text is neither the one last seen
        here nor `over` (which the user has seen and decided to replace); BackendError otherwise.
        """
        backend = await self._backend()
        theirs = await backend.instructions(self.whose)
        if theirs != text:
            if theirs not in (self._seen, over):
                raise ChangedElsewhere(theirs)
            theirs = await backend.set_instructions(self.whose, text)
        self._seen = theirs
        return theirs

    def accept(self, theirs: str) -> None:
        """The user goes on from this text of the server."""
        self._seen = theirs

    # What was typed and not saved, over the end of the program (P6)

    async def keep_typed(self, text: str | None) -> None:
        """Note on disk what is being typed; None: there is nothing to keep any more. Never raises."""
        note = {"text": text, "seen": self._seen} if text is not None else None
        await self._keeper.keep_note(self._place, "unsaved", note)

    async def take_up_typed(self) -> str | None:
        """What was typed before the program ended; None when nothing was. Never raises.

        Saving it asks first when the server's text is not the one it began from.
        """
        note: Any = (await self._keeper.notes(self._place)).get("unsaved")
        if not isinstance(note, dict):
            return None
        text, seen = (cast("dict[str, Any]", note).get(name) for name in ("text", "seen"))
        if not isinstance(text, str):
            return None
        if isinstance(seen, str):
            self._seen = seen
        return text

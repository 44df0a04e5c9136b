"""What the project has, for completing names: from the last run at once, from the stack quietly, with its age."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from kai_tui.backends.errors import BackendError
from kai_tui.conversation.project_objects import ProjectObject
from kai_tui.services.observers import Observers

if TYPE_CHECKING:
    from kai_tui.backends.project import Project

FRESH_SECONDS: Final = 300.0
"""A list younger than this is not asked for again."""
PATIENCE_SECONDS: Final = 60.0
"""After a failure it is not asked for again for so long."""
_FORMAT: Final = 1


class ObjectsKeeper(Protocol):
    """Keeps the list for the next run."""

    async def objects(self) -> str | None: ...

    async def keep_objects(self, text: str) -> None: ...


class ProjectListing:
    """Observers hear that there is another list. Nothing here raises, and nobody waits for it."""

    def __init__(
        self,
        project: Callable[[], Awaitable[Project | None]],
        keeper: ObjectsKeeper,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now`: seconds since the epoch."""
        self._project = project
        self._keeper = keeper
        self._now = now
        self._observers: Observers[None] = Observers()
        self._asking: asyncio.Task[None] | None = None
        self._restored = False
        self._failed = float("-inf")
        self.rows: Sequence[ProjectObject] = ()
        self.read_at: float | None = None
        """When the list was read from the stack; None: never."""

    def observe(self, callback: Callable[[None], None]) -> Callable[[], None]:
        """Hear that there is another list."""
        return self._observers.add(callback)

    @property
    def age(self) -> float | None:
        """Seconds since the list was read; None when there is none."""
        return max(0.0, self._now() - self.read_at) if self.read_at is not None else None

    def want(self) -> None:
        """Somebody completes a name: have a list that is not too old, some time."""
        if self._asking is not None and not self._asking.done():
            return
        fresh = self.age is not None and self.age < FRESH_SECONDS
        if self._restored and (fresh or self._now() - self._failed < PATIENCE_SECONDS):
            return
        self._asking = asyncio.create_task(self._look(), name="objects of the project")

    async def aclose(self) -> None:
        """Stop asking."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _look(self) -> None:
        if not self._restored:
            await self._restore()
            self._restored = True
        if self.age is not None and self.age < FRESH_SECONDS:
            return
        try:
            project = await self._project()
            if project is None:
                self._failed = self._now()
                return
            rows = await project.objects()
        except BackendError:
            self._failed = self._now()
            return
        self.rows, self.read_at = rows, self._now()
        self._observers.tell(None)
        await self._keeper.keep_objects(await asyncio.to_thread(_written, rows, self.read_at))

    async def _restore(self) -> None:
        text = await self._keeper.objects()
        found = await asyncio.to_thread(_read, text) if text else None
        if found is not None and found[1] <= self._now():
            self.rows, self.read_at = found
            self._observers.tell(None)


def _written(rows: Sequence[ProjectObject], read_at: float) -> str:
    return json.dumps({"format": _FORMAT, "read_at": read_at, "rows": [list(row) for row in rows]})


def _read(text: str) -> tuple[list[ProjectObject], float] | None:
    """What an earlier run kept; None for anything else."""
    try:
        kept: Any = json.loads(text)
        if kept["format"] != _FORMAT:
            return None
        kept_rows = cast("list[list[Any]]", kept["rows"])
        if not all(isinstance(text, str) for row in kept_rows for text in row[:3]):
            return None
        if not all(type(count) is int or count is None for row in kept_rows for count in row[3:]):
            return None
        return [ProjectObject(*row) for row in kept_rows], float(kept["read_at"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None

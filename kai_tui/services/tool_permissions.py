"""The user's tool permissions: read, changed one by one and kept at once (kai.md §4.12).

They hold for all chats of the user in this project, and for Kai's web interface too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from kai_tui.backends.base import BackendError
from kai_tui.services.observers import Observers

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend, Permission, ToolInfo

Saving: TypeAlias = Literal["", "saving", "saved", "failed"]


@dataclass(frozen=True, slots=True)
class ToolRow:
    """A tool and what becomes of the last change of its permission. Texts are raw."""

    info: ToolInfo
    """With the permission the server keeps."""
    wanted: Permission | None = None
    """What is being saved."""
    saving: Saving = ""
    trouble: str = ""
    """Why it was not saved: one sentence."""

    @property
    def permission(self) -> str | None:
        """What to show: what is on its way, else what the server keeps."""
        return self.wanted or self.info.permission


class ToolPermissions:
    """One list for all who look at it. Changes are sent one after the other, each once."""

    def __init__(
        self, backend: Callable[[], Awaitable[Backend]], kept: Callable[[Sequence[ToolInfo]], None]
    ) -> None:
        """`kept` hears what the server keeps now, whenever that is known anew."""
        self._backend = backend
        self._kept = kept
        self._observers: Observers[None] = Observers()
        self._wanted: dict[str, Permission] = {}
        self._working: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        """Reading, changing and resetting never overlap: an old answer must not hide a new one."""
        self.rows: tuple[ToolRow, ...] = ()
        self.loading = False
        self.problem = ""
        """Why the list could not be read: one sentence."""

    @property
    def unasked(self) -> Sequence[ToolRow]:
        """Tools that change something and that the server runs without asking, as far as the list was read."""
        return [row for row in self.rows if row.info.permission == "always_allow" and not row.info.read_only]

    def observe(self, callback: Callable[[None], None]) -> Callable[[], None]:
        """Hear that `rows`, `loading` or `problem` changed."""
        return self._observers.add(callback)

    async def load(self) -> None:
        """Read the list anew. Never raises: failures are in `problem`, and the old rows stay."""
        self.loading = True
        self._tell()
        try:
            async with self._turn:
                await self._read()
            self.rows = tuple(
                row if row.saving == "saving" else replace(row, saving="", trouble="") for row in self.rows
            )
            self.problem = ""
        except BackendError as error:
            self.problem = error.sentence
        finally:
            self.loading = False
            self._tell()

    def set(self, name: str, permission: Permission) -> None:
        """Change one permission. Returns at once; of several quick changes only the last one counts."""
        row = self._row(name)
        if row is None or (row.wanted is None and row.info.permission == permission):
            return
        self._wanted[name] = permission
        self._change(name, wanted=permission, saving="saving", trouble="")
        self._tell()
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work(), name="tool permissions")

    async def reset_all(self) -> None:
        """Every tool back to the server's default. Raises BackendError; the rows are true then too."""
        async with self._turn:
            try:
                self._take(await (await self._backend()).set_permissions(None))
                self.rows = tuple(replace(row, saving="", trouble="") for row in self.rows)
            except BackendError as error:
                if error.delivery == "unsure":
                    await self._look()
                raise
            finally:
                self._tell()

    async def settled(self) -> Sequence[ToolRow]:
        """Wait for what is being saved; the rows that were not."""
        if self._working is not None:
            await asyncio.wait([self._working])
        return [row for row in self.rows if row.saving == "failed"]

    async def aclose(self) -> None:
        """Send nothing more."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)

    # The work

    async def _work(self) -> None:
        while self._wanted:
            name, permission = next(iter(self._wanted.items()))
            async with self._turn:
                await self._save(name, permission)
            self._tell()

    async def _save(self, name: str, permission: Permission) -> None:
        trouble = ""
        try:
            backend = await self._backend()
            kept = await backend.set_permissions({name: permission})
        except BackendError as error:
            trouble = error.sentence
            if error.delivery == "unsure" and await self._look():
                row = self._row(name)
                if row is not None and row.info.permission == permission:
                    trouble = ""  # it did arrive
        else:
            self._take(kept)
            if kept.get(name) != permission:
                trouble = "The server answered, but keeps something else."
        if self._wanted.get(name) != permission:
            return  # it was changed again meanwhile
        del self._wanted[name]
        self._change(name, wanted=None, saving="failed" if trouble else "saved", trouble=trouble)

    async def _look(self) -> bool:
        """Nobody knows whether a change arrived: ask what is kept. False when that is not known either."""
        try:
            await self._read()
        except BackendError:
            return False
        return True

    async def _read(self) -> None:
        found = await (await self._backend()).permissions()
        before = {row.info.name: row for row in self.rows}
        self.rows = tuple(
            replace(before[each.name], info=each) if each.name in before else ToolRow(each) for each in found
        )
        self._kept([row.info for row in self.rows])

    def _take(self, kept: Mapping[str, str]) -> None:
        self.rows = tuple(
            replace(row, info=replace(row.info, permission=kept.get(row.info.name))) for row in self.rows
        )
        self._kept([row.info for row in self.rows])

    def _row(self, name: str) -> ToolRow | None:
        return next((row for row in self.rows if row.info.name == name), None)

    def _change(self, name: str, *, wanted: Permission | None, saving: Saving, trouble: str) -> None:
        self.rows = tuple(
            replace(row, wanted=wanted, saving=saving, trouble=trouble) if row.info.name == name else row
            for row in self.rows
        )

    def _tell(self) -> None:
        self._observers.tell(None)

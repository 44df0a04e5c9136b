"""Documents for a stack: one request per file, because only then the server's answer tells which was stored.

The server says "Files stored" also when it stored nothing (kiss-ai-stack.md §5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from kai_tui.backends.base import BackendError, CannotConnect, Refused, TokenRefused
from kai_tui.backends.kiss.access import KissAccess
from kai_tui.backends.kiss.wire import DocumentsBody, StackAnswer, Value, stored_chunks
from kai_tui.backends.multipart import LocalFile, OnProgress

LARGE: Final = 20 * 1024 * 1024
"""Bytes from which an upload is worth a warning: the server holds it in memory several times over."""
SENDING: Final = "Storing the document…"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What became of one file."""

    name: str
    chunks: Mapping[str, Sequence[str]]
    """Ids of the stored pieces by tool; empty when nothing was stored."""
    why_not: str = ""
    """One sentence for the user; empty when it was stored."""

    @property
    def stored(self) -> bool:
        """Whether the stack really has it."""
        return bool(self.chunks)


def size_warning(files: Sequence[LocalFile]) -> str | None:
    """A sentence when this is more than a stack likes at once, else None."""
    large = [file for file in files if len(file.content) > LARGE]
    if not large:
        return None
    name, size = large[0].name, len(large[0].content) / (1024 * 1024)
    return f"{name} has {size:.0f} MB. The server holds all of it in memory and may refuse or fall over."


async def store(
    access: KissAccess,
    files: Sequence[LocalFile],
    metadata: Mapping[str, Value],
    *,
    host: str,
    on_progress: OnProgress | None = None,
) -> list[StoredFile]:
    """POST /documents for each file; `metadata` goes with every one.

    A file the server does not take does not keep the others from being sent. Raises Refused for nothing to
    send. When the server cannot be reached, or lets nobody in, that is raised if it was so from the start;
    later the rest counts as not stored.
    """
    if not files:
        raise Refused("There is no file to send.", code="empty")
    total, sent = sum(len(file.content) for file in files), 0

    def passed(done: int, of: int) -> None:
        if on_progress is not None:
            on_progress(sent + len(file.content) * done // of, total)

    outcomes: list[StoredFile] = []
    cut_off = ""
    for file in files:
        chunks: Mapping[str, Sequence[str]] = {}
        why_not = cut_off
        if not cut_off:
            try:
                chunks = await _store_one(access, file, metadata, passed)
                why_not = "" if chunks else f"{host} accepted {file.name} but stored nothing of it."
            except (CannotConnect, TokenRefused) as error:
                if not outcomes:
                    raise
                why_not = cut_off = error.sentence
            except BackendError as error:
                why_not = error.sentence
        outcomes.append(StoredFile(file.name, chunks, why_not))
        sent += len(file.content)
    return outcomes


async def _store_one(
    access: KissAccess, file: LocalFile, metadata: Mapping[str, Value], on_progress: OnProgress
) -> Mapping[str, Sequence[str]]:
    """The ids of what was stored. A stack that was not started hides that, so it is started and asked once more."""

    def form() -> DocumentsBody:
        return DocumentsBody([file], metadata, on_progress=on_progress)

    chunks = stored_chunks(await _post(access, form))
    if not chunks:
        await access.restart()
        chunks = stored_chunks(await _post(access, form))
    return chunks


async def _post(access: KissAccess, form: Callable[[], DocumentsBody]) -> StackAnswer:
    async with aclosing(
        access.ask(
            "/documents",
            form=form,
            waiting=SENDING,
            changes=True,
            unsure_note="It may or may not have been stored.",
        )
    ) as steps:
        async for step in steps:
            if isinstance(step, StackAnswer):
                return step
    raise AssertionError("an answer ends every question that does not raise")

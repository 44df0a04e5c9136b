"""Documents of an account's assistant: listed, and stored one after the other while the user goes on.

Nothing is sent twice by itself. What became of each file stays until the user has seen it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from kai_tui.backends.base import Backend, BackendError, RateLimited, Refused, Unsupported
from kai_tui.services import local_files
from kai_tui.services.local_files import FoundFile, shown_size
from kai_tui.services.observers import Observers

if TYPE_CHECKING:
    from kai_tui.backends.documents import Document, Documents, DocumentTerms

_LOG = logging.getLogger(__name__)

LONGEST_HOLD: Final = 90.0
"""Seconds an upload waits by itself when the server asks to; it took nothing then."""

UploadState: TypeAlias = Literal["waiting", "sending", "being-read", "ready", "failed", "stopped"]
_OVER: Final = frozenset({"ready", "failed", "stopped"})
_OUR_FAULT: Final = "kai-tui made a mistake. Look into the list whether it is there."


@dataclass(frozen=True, slots=True)
class Upload:
    """A file or a website on its way. Texts are raw."""

    number: int
    name: str
    size: int | None = None
    """Bytes; None for a website."""
    state: UploadState = "waiting"
    sent: int = 0
    """Bytes of its body that were handed to the network."""
    total: int = 0
    """Bytes of its body."""
    note: str = ""
    """What became of it, or what it waits for: one sentence."""
    document: Document | None = None
    """What the server made of it."""
    chat_id: str | None = None
    path: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in _OVER


@dataclass(frozen=True, slots=True)
class Row:
    """A document with what is being done to it."""

    document: Document
    doing: Literal["", "deleting", "deleted", "restoring"] = ""
    """`deleted`: in this run; it can be brought back where the terms say so."""
    trouble: str = ""
    """Why the last deed failed: one sentence. Raw."""


@dataclass
class _Job:
    upload: Upload
    file: FoundFile | None
    holder: str
    task: asyncio.Task[None] | None = field(default=None)


class DocumentDesk:
    """One list and one queue of uploads for all who look."""

    def __init__(self, backend: Callable[[], Awaitable[Backend]]) -> None:
        self._backend = backend
        self._observers: Observers[Upload | None] = Observers()
        self._jobs: dict[int, _Job] = {}
        self._numbers = 0
        self._working: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._reads = 0
        self._deeds: dict[tuple[str, str], Row] = {}
        """Rows that something is done to, or was, by kind and id."""
        self._listed: tuple[Document, ...] = ()
        self.chat_id: str | None = None
        self.terms: DocumentTerms | None = None
        """What can be done; None until the server was asked."""
        self.loading = False
        self.problem = ""
        """Why the list could not be read: one sentence. Raw."""

    def observe(self, callback: Callable[[Upload | None], None]) -> Callable[[], None]:
        """Hear that something changed; told with an upload when it has come to its end."""
        return self._observers.add(callback)

    @property
    def uploads(self) -> Sequence[Upload]:
        """What is on its way, and what came to its end and was not put away, in order."""
        return [job.upload for job in self._jobs.values()]

    @property
    def rows(self) -> Sequence[Row]:
        """The documents of the list, and behind them those deleted in this run that can be brought back."""
        rows = [self._deeds.get((each.kind, each.id)) or Row(each) for each in self._listed]
        rows = [replace(row, document=each) for row, each in zip(rows, self._listed, strict=True)]
        there = {(each.kind, each.id) for each in self._listed}
        return [*rows, *(row for key, row in self._deeds.items() if key not in there)]

    # The list

    async def show(self, chat_id: str | None) -> None:
        """Be about the documents of this chat's agent (None: of a new chat's), and read them. Never raises."""
        if chat_id != self.chat_id:
            self.chat_id, self._listed, self._deeds, self.terms = chat_id, (), {}, None
        await self.load()

    async def load(self) -> None:
        """Read the list anew. Never raises: failures are in `problem`, and the old rows stay."""
        self._reads += 1
        reading = self._reads
        self.loading = True
        self._tell()
        try:
            documents = await self._documents()
            self.terms = documents.terms(self.chat_id)
            found = await documents.list(self.chat_id)
        except BackendError as error:
            if reading == self._reads:
                self.problem = error.sentence
        else:
            if reading == self._reads:
                self.problem = ""
                self.terms = documents.terms(self.chat_id)
                self._listed = tuple(found)
                self._forget_old_deeds()
        finally:
            if reading == self._reads:
                self.loading = False
            self._tell()

    def _forget_old_deeds(self) -> None:
        """What the server lists again was not deleted; troubles were read."""
        for document in self._listed:
            key = (document.kind, document.id)
            row = self._deeds.get(key)
            if row is not None and row.doing in ("deleted", ""):
                del self._deeds[key]

    # Storing

    def refusal(self, file: FoundFile) -> str:
        """Why this file cannot be stored, known before it is read; empty when it may."""
        terms = self.terms
        if any(job.upload.path == file.path and not job.upload.over for job in self._jobs.values()):
            return f"{file.name} is on its way already."
        if terms is None:
            return ""
        if terms.largest is not None and file.size > terms.largest:
            return local_files.too_large(file.name, terms.largest)
        if terms.kinds and not file.name.lower().endswith(terms.kinds):
            return f"{file.name} is of a kind the server does not read. It takes {', '.join(terms.kinds)}."
        return ""

    def warning(self, file: FoundFile) -> str:
        """What to say before this file is sent; empty when there is nothing."""
        terms = self.terms
        if terms is None or terms.uneasy is None or file.size <= terms.uneasy:
            return ""
        return f"{file.name} has {shown_size(file.size)}. {terms.warning}"

    def add(self, files: Sequence[FoundFile]) -> list[str]:
        """Store these files, one after the other. Returns at once, with a sentence for each that is refused."""
        refused: list[str] = []
        for file in files:
            why = self.refusal(file)
            if why:
                refused.append(why)
            else:
                self._enqueue(file.name, file)
        return refused

    def add_website(self, address: str) -> str:
        """Let the agent read a website. Returns at once; a sentence when the address cannot be one."""
        address = address.strip()
        if not local_files.is_web_address(address):
            return "The address of a website begins with https://."
        if any(job.upload.name == address and not job.upload.over for job in self._jobs.values()):
            return "This website is on its way already."
        self._enqueue(address, None)
        return ""

    def stop(self, number: int) -> None:
        """Stop an upload; what the server has of it is told."""
        job = self._jobs.get(number)
        if job is None or job.upload.over:
            return
        upload = job.upload
        if upload.state == "waiting":
            self._change(job, state="stopped", note="It was not sent.")
        elif upload.state == "being-read":
            self._change(job, state="stopped", note="The server has it and goes on reading it.")
        elif upload.size is not None and upload.sent < upload.total:
            # A body that breaks off is no document to any server.
            self._change(job, state="stopped", note="Stopped before all of it was sent: it was not stored.")
        else:
            self._change(job, state="stopped", note="It may or may not have been stored.")
        if job.task is not None:
            job.task.cancel()

    def put_away(self) -> None:
        """The user has seen what became of uploads that are over."""
        self._jobs = {number: job for number, job in self._jobs.items() if not job.upload.over}
        self._tell()

    # Deleting

    async def delete(self, document: Document) -> None:
        """Delete one; a second press while it lasts does nothing. Never raises: `Row.trouble` says what failed."""
        await self._do(document, "deleting", lambda documents: documents.delete(document))

    async def restore(self, document: Document) -> None:
        """Bring one back that was deleted in this run. Never raises."""
        await self._do(document, "restoring", lambda documents: documents.restore(document))

    async def crawl(self, website: Document) -> str:
        """Let the server read a website anew. Never raises: a sentence when it does not."""
        try:
            await (await self._documents()).crawl(website)
        except BackendError as error:
            return error.sentence
        await self.load()
        return ""

    async def pages(self, website: Document) -> Sequence[Document]:
        """What was read of a website. Raises BackendError."""
        return await (await self._documents()).pages(website)

    async def _do(
        self,
        document: Document,
        doing: Literal["deleting", "restoring"],
        work: Callable[[Documents], Awaitable[None]],
    ) -> None:
        key = (document.kind, document.id)
        before = self._deeds.get(key, Row(document))
        if before.doing in ("deleting", "restoring") or (before.doing == "deleted") == (doing == "deleting"):
            return
        self._deeds[key] = Row(document, doing)
        self._tell()
        try:
            await work(await self._documents())
        except BackendError as error:
            self._deeds[key] = Row(document, "deleted" if doing == "restoring" else "", error.sentence)
            self._tell()
            return
        del self._deeds[key]
        if doing == "deleting":
            self._listed = tuple(each for each in self._listed if (each.kind, each.id) != key)
            if self.terms is not None and self.terms.restore and document.kind == "file":
                self._deeds[key] = Row(document, "deleted")
        await self.load()

    async def aclose(self) -> None:
        """Stop everything."""
        tasks = [job.task for job in self._jobs.values() if job.task is not None] + list(self._background)
        if self._working is not None:
            tasks.append(self._working)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # The work

    def _enqueue(self, name: str, file: FoundFile | None) -> None:
        self._numbers += 1
        size, path = (file.size, file.path) if file is not None else (None, "")
        upload = Upload(self._numbers, name, size, chat_id=self.chat_id, path=path)
        self._jobs[upload.number] = _Job(upload, file, self.terms.holder if self.terms is not None else "")
        self._tell()
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work(), name="uploads")

    async def _work(self) -> None:
        while True:
            job = next((job for job in self._jobs.values() if job.upload.state == "waiting"), None)
            if job is None:
                return
            job.task = asyncio.create_task(self._run(job), name=f"upload {job.upload.number}")
            await asyncio.wait([job.task])

    async def _run(self, job: _Job) -> None:
        try:
            taken = await self._send(job)
        except BackendError as error:
            self._change(job, state="failed", note=error.sentence)
            return
        except Exception:  # noqa: BLE001 - a fault of ours must not end the other uploads
            _LOG.exception("an upload failed")
            self._change(job, state="failed", note=_OUR_FAULT)
            return
        self._outcome(job, taken)
        if taken.state == "working":
            # Reading may take minutes: the next file does not wait for it.
            job.task = self._soon(self._follow(job, taken))
        else:
            self._soon(self.load())

    async def _send(self, job: _Job) -> Document:
        documents = await self._documents()
        chat_id = job.upload.chat_id
        _check_holder(job, documents)
        self._change(job, state="sending", note="")
        if job.file is None:
            return await documents.add_website(job.upload.name, chat_id=chat_id)
        terms = documents.terms(chat_id)
        content = await asyncio.to_thread(local_files.read, job.file, largest=terms.largest)
        self._change(job, size=len(content.content))
        held = 0.0
        while True:
            _check_holder(job, documents)
            try:
                return await documents.store(
                    content, chat_id=chat_id, on_progress=lambda sent, total: self._progress(job, sent, total)
                )
            except RateLimited as error:
                # It took nothing (429): wait as long as it asks to.
                wait = error.retry_after
                if wait is None or held + wait > LONGEST_HOLD:
                    raise
                held += wait
                self._change(job, sent=0, note=f"The server asks to wait {wait:.0f} s.")
                await asyncio.sleep(wait)
                self._change(job, note="")

    async def _follow(self, job: _Job, taken: Document) -> None:
        await self.load()
        try:
            documents = await self._documents()
            found = await documents.settled(taken, chat_id=job.upload.chat_id)
        except BackendError as error:
            self._change(
                job, state="failed", note=f"It was stored; whether it was read is not known. {error.sentence}"
            )
        else:
            if found.state == "working":
                self._change(job, state="ready", document=found, note="Stored; the server still reads it.")
            else:
                self._outcome(job, found)
        await self.load()

    def _outcome(self, job: _Job, document: Document) -> None:
        state: UploadState = (
            "failed"
            if document.state == "failed"
            else "being-read" if document.state == "working" else "ready"
        )  # fmt: skip
        self._change(job, state=state, document=document, note=document.note)

    def _progress(self, job: _Job, sent: int, total: int) -> None:
        if not job.upload.over:
            job.upload = replace(job.upload, sent=sent, total=total)
            self._tell()

    def _change(self, job: _Job, **fields: object) -> None:
        if job.upload.over:
            return  # stopped meanwhile
        job.upload = replace(job.upload, **fields)  # pyright: ignore[reportArgumentType]
        self._tell(job.upload if job.upload.over else None)

    async def _documents(self) -> Documents:
        backend = await self._backend()
        if backend.documents is None:
            raise Unsupported("This assistant looks nothing up: it has no documents.")
        return backend.documents

    def _soon(self, work: Awaitable[None]) -> asyncio.Task[None]:
        async def run() -> None:
            await work

        task = asyncio.create_task(run())
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def _tell(self, over: Upload | None = None) -> None:
        self._observers.tell(over)


def _check_holder(job: _Job, documents: Documents) -> None:
    """It goes to the agent whose documents were on screen, not to one chosen since. Raises Refused."""
    if job.holder not in ("", documents.terms(job.upload.chat_id).holder):
        raise Refused("Another agent was chosen meanwhile. It was not sent: add it again.", code="agent")

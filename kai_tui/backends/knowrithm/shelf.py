"""Documents and websites of an agent (knowrithm.md §9; for websites see `offers`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final

from kai_tui.backends.base import NotAllowed, NotFound, Refused, UnexpectedAnswer, Unsupported
from kai_tui.backends.documents import MEGABYTE, Document, DocumentState, DocumentTerms
from kai_tui.backends.knowrithm import offers
from kai_tui.backends.knowrithm.offers import Offers
from kai_tui.backends.knowrithm.tasks import Pace
from kai_tui.backends.multipart import LocalFile, OnProgress
from kai_tui.backends.refusals import one_line

LARGEST: Final = 100 * MEGABYTE
"""Bytes; ours, because a file is held in memory. Of its own limit the server tells when it is passed."""
KINDS: Final = (
    ".pdf", ".docx", ".txt", ".csv", ".html", ".htm", ".md", ".markdown", ".xlsx", ".json", ".xml",
)  # fmt: skip
_READY: Final = frozenset({"processed", "completed", "ready", "active", "crawled", "success", "done"})
_FAILED: Final = frozenset({"failed", "error"})
_WORKING: Final = frozenset({"pending", "processing", "queued", "crawling", "started", "in_progress"})
_TASK: Final = "task:"
"""How the ids of documents begin that the server has only acknowledged."""


class Shelf:
    """What the agent of a chat looks things up in."""

    def __init__(
        self,
        wares: Offers,
        pace: Pace,
        sleep: Callable[[float], Awaitable[None]],
        agent_of: Callable[[str | None], Awaitable[str]],
        chosen: Callable[[str | None], str | None],
    ) -> None:
        """`agent_of` tells whom a chat (None: a new one) is with, and raises Refused when nobody chose;
        `chosen` the same as far as it is known without asking anybody.
        """
        self._offers = wares
        self._pace, self._sleep = pace, sleep
        self._agent_of, self._chosen = agent_of, chosen
        self._names: dict[str, str] = {}
        self._websites = True
        self._reports: dict[str, tuple[offers.UploadReport, str]] = {}
        """Of uploads that were only acknowledged, with their agent, by the id their document has until then."""

    def terms(self, chat_id: str | None = None) -> DocumentTerms:
        agent = self._chosen(chat_id) or ""
        name = self._names.get(agent)
        return DocumentTerms(
            f"the agent “{name}”" if name else "the agent",
            holder=agent,
            restore=True,
            websites=self._websites,
            largest=LARGEST,
            kinds=KINDS,
        )

    async def list(self, chat_id: str | None = None) -> Sequence[Document]:
        agent = await self._agent_of(chat_id)
        found = [_document(each) for each in await self._offers.all_documents(agent)]
        try:
            found += [_website(each) for each in await self._offers.websites(agent)]
            self._websites = True
        except (NotFound, NotAllowed, UnexpectedAnswer):
            self._websites = False  # a server without them
        await self._learn_name(agent)
        return found

    async def store(
        self, file: LocalFile, *, chat_id: str | None = None, on_progress: OnProgress | None = None
    ) -> Document:
        _check(file)
        agent = await self._agent_of(chat_id)
        report = await self._offers.upload(agent, [file], on_progress=on_progress)
        size = len(file.content)
        if report.documents:
            return _document(report.documents[0])
        if report.errors or report.failed:
            why = report.errors[0] if report.errors else report.message or "The server did not say why."
            return Document("", file.name, state="failed", size=size, note=why)
        waiting = f"{_TASK}{report.task_ids[0] if report.task_ids else file.name}"
        self._reports[waiting] = (
            offers.UploadReport((), task_ids=report.task_ids, names=(file.name,)),
            agent,
        )
        return Document(waiting, file.name, state="working", size=size)

    async def settled(self, document: Document, *, chat_id: str | None = None) -> Document:
        if document.state != "working":
            return document
        if document.kind == "website":
            return await self._crawled(document, chat_id)
        report, agent = self._reports.pop(document.id, (None, ""))
        if report is None:
            agent = await self._agent_of(chat_id)
            known = offers.Document(document.id, document.name, "processing", size=document.size)
            report = offers.UploadReport([known], names=(document.name,))
        async with aclosing(self._offers.follow(report, agent)) as news:
            async for found in news:
                if found:
                    document = _document(found[0])
        return document

    async def add_website(self, address: str, *, chat_id: str | None = None) -> Document:
        return _website(await self._offers.add_website(await self._agent_of(chat_id), address))

    async def pages(self, website: Document) -> Sequence[Document]:
        return [
            Document(page.id, page.url, "page", _state(page.status), note=page.title)
            for page in await self._offers.website_pages(website.id)
        ]

    async def crawl(self, website: Document) -> None:
        await self._offers.crawl(website.id)

    async def delete(self, document: Document) -> None:
        if document.kind == "website":
            await self._offers.delete_website(document.id)
        else:
            await self._offers.delete_document(document.id)

    async def restore(self, document: Document) -> None:
        if document.kind == "website":
            raise Unsupported("A website that was removed cannot be brought back. Add it again.")
        await self._offers.restore_document(document.id)

    async def _crawled(self, website: Document, chat_id: str | None) -> Document:
        agent = await self._agent_of(chat_id)
        waited, pause = 0.0, self._pace.first
        while waited < self._pace.give_up and website.state == "working":
            await self._sleep(pause)
            waited, pause = waited + pause, self._pace.after(pause)
            for each in await self._offers.websites(agent):
                if each.id == website.id:
                    website = _website(each)
        return website

    async def _learn_name(self, agent: str) -> None:
        """For `terms`."""
        if agent not in self._names:
            self._names.update({each.id: each.name for each in await self._offers.agents()})


def _check(file: LocalFile) -> None:
    """Raises Refused, before anything is sent, for what the server does not take (§9)."""
    if not file.content:
        raise Refused(f"{file.name} is empty.", code="file-size")
    if len(file.content) > LARGEST:
        raise Refused(f"{file.name} is too large: more than {LARGEST // MEGABYTE} MB.", code="file-size")
    if not file.name.lower().endswith(KINDS):
        raise Refused(f"{file.name} is of a kind the server does not read.", code="file-kind")


def _state(status: str) -> DocumentState:
    word = status.lower()
    return (
        "ready" if word in _READY else "failed" if word in _FAILED else "working" if word in _WORKING else ""
    )


def _document(row: offers.Document) -> Document:
    state = _state(row.status)
    note = row.error if row.error else "" if state else one_line(row.status)
    return Document(row.id, row.name, "file", state, row.size, note, row.created_at)


def _website(row: offers.Website) -> Document:
    state = _state(row.status)
    limit = f"at most {row.max_pages} pages" if row.max_pages else ""
    note = row.error or limit if state else row.error or one_line(row.status) or limit
    return Document(row.id, row.url, "website", state, note=note, created_at=row.last_crawl)

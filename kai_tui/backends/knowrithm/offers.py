"""What Knowrithm has beside the chat: agents, documents and websites for them (knowrithm.md §6, §9).

Websites are of the module `website` of `knowrithm-py` and of the documents' page on data sources; the
protocol page does not name them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from kai_tui.backends.base import NotFound, Page, Refused, UnexpectedAnswer
from kai_tui.backends.http import Answer, segment
from kai_tui.backends.http_request import Method
from kai_tui.backends.knowrithm.access import KnowrithmAccess, said_by_knowrithm
from kai_tui.backends.knowrithm.conversations import PER_PAGE
from kai_tui.backends.knowrithm.tasks import ack_of
from kai_tui.backends.knowrithm.wire import (
    AgentRow,
    DocumentRow,
    PageRow,
    WebsiteRow,
    further_page,
    objects,
    one_of,
    rows_of,
)
from kai_tui.backends.multipart import Form, LocalFile, OnProgress
from kai_tui.backends.refusals import one_line
from kai_tui.conversation.events import JsonObject

_MAX_AGENT_PAGES: Final = 20
_MAX_DOCUMENT_PAGES: Final = 50
_UNSURE: Final = "It may or may not have been stored."
_SETTLED: Final = frozenset({"processed", "completed", "ready", "failed", "error", "deleted"})


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody to talk to. A conversation needs one."""

    id: str
    name: str
    description: str = ""
    status: str = ""
    """`active`, `inactive`, `training`, `maintenance`."""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """Something an agent answers from."""

    id: str
    name: str
    status: str = ""
    """`pending`, `processing`, `processed`, `failed`."""
    error: str = ""
    kind: str = ""
    size: int | None = None
    """Bytes."""
    created_at: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status.lower() in _SETTLED


@dataclass(frozen=True, slots=True)
class UploadReport:
    """What became of an upload; reading the documents goes on in the background (`follow`)."""

    documents: Sequence[Document]
    failed: int = 0
    errors: Sequence[str] = ()
    task_ids: Sequence[str] = ()
    message: str = ""
    names: Sequence[str] = ()
    """Of the files and addresses that were sent."""

    @property
    def whole(self) -> bool:
        """Whether the server complained about nothing."""
        return not self.failed and not self.errors and not any(each.error for each in self.documents)


@dataclass(frozen=True, slots=True)
class Website:
    """A website an agent reads."""

    id: str
    url: str
    status: str = ""
    """`active`, `inactive`, `crawling`, `failed`."""
    error: str = ""
    agent_id: str = ""
    last_crawl: str = ""
    max_pages: int | None = None


@dataclass(frozen=True, slots=True)
class WebsitePage:
    """One page of a website, as far as it was read."""

    id: str
    url: str
    title: str = ""
    status: str = ""
    """`pending`, `crawled`, `failed`, `excluded`."""


class Offers:
    """Requests beside the chat. All methods raise only BackendErrors."""

    def __init__(self, access: KnowrithmAccess) -> None:
        self._access = access

    # Agents

    async def agents(self, *, search: str = "", status: str = "") -> list[Agent]:
        """GET /agent, all pages."""
        found: dict[str, Agent] = {}
        for page in range(1, _MAX_AGENT_PAGES + 1):
            params: dict[str, str | int] = {"page": page, "per_page": PER_PAGE}
            if search:
                params["search"] = search
            if status:
                params["status"] = status
            body = (await self._access.request("GET", "/v1/agent", params=params)).json()
            rows = rows_of(AgentRow, body, "agents")
            fresh = {row.id: _agent(row) for row in rows if row.id not in found}
            found.update(fresh)
            if not fresh or not further_page(body, page, len(rows), PER_PAGE):
                break
        return list(found.values())

    async def agent(self, agent_id: str) -> Agent:
        """GET /agent/{id}."""
        return await self._one_agent(f"/v1/agent/{segment(agent_id)}")

    async def agent_by_name(self, name: str) -> Agent:
        """GET /agent/by-name/{name}."""
        return await self._one_agent(f"/v1/agent/by-name/{segment(name)}")

    async def _one_agent(self, path: str) -> Agent:
        answer = await self._access.request("GET", path, also=(404,))
        row = one_of(AgentRow, answer.json(), "agent") if answer.status != 404 else None
        if answer.status == 404:
            raise NotFound(f"{self._access.host} has no such agent (any more).", code="agent", status=404)
        if row is None:
            raise self._odd("an agent")
        return _agent(row)

    # Documents

    async def documents(
        self, *, agent_id: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[Document]:
        """GET /document, or of one agent."""
        path = "/v1/document" if agent_id is None else f"/v1/document/agent/{segment(agent_id)}"
        page = int(cursor) if cursor is not None and cursor.isascii() and cursor.isdigit() else 1
        per_page = min(max(limit, 1), PER_PAGE)
        body = (await self._access.request("GET", path, params={"page": page, "per_page": per_page})).json()
        rows = rows_of(DocumentRow, body, "document", "documents")
        more = bool(rows) and further_page(body, page, len(rows), per_page)
        return Page([_document(row) for row in rows], str(page + 1) if more else None)

    async def all_documents(self, agent_id: str) -> list[Document]:
        """The documents of one agent, all pages."""
        found: dict[str, Document] = {}
        cursor: str | None = None
        for _ in range(_MAX_DOCUMENT_PAGES):
            page = await self.documents(agent_id=agent_id, cursor=cursor, limit=PER_PAGE)
            fresh = {each.id: each for each in page.items if each.id not in found}
            found.update(fresh)
            cursor = page.cursor
            if cursor is None or not fresh:
                break
        return list(found.values())

    async def upload(
        self,
        agent_id: str,
        files: Sequence[LocalFile] = (),
        *,
        urls: Sequence[str] = (),
        fields: Mapping[str, str] | None = None,
        on_progress: OnProgress | None = None,
    ) -> UploadReport:
        """POST /document/upload: files as a form (told to `on_progress`), addresses as JSON; both when both are given.

        `fields`: further ones, such as `tags`. A report with errors is no exception: it says what was taken.
        """
        if not files and not urls:
            raise Refused("There is nothing to send.", code="empty")
        reports: list[UploadReport] = []
        if files:
            form_fields = {"agent_id": agent_id, **(fields or {})}
            answer = await self._access.request(
                "POST",
                "/v1/document/upload",
                form=lambda: Form(files, form_fields, field="files", on_progress=on_progress),
                unsure_note=_UNSURE,
            )
            reports.append(await self._report(answer))
        if urls:
            body = {"agent_id": agent_id, **(fields or {}), "urls": list(urls)}
            answer = await self._access.request(
                "POST", "/v1/document/upload", body=body, unsure_note=_UNSURE, patient=True
            )
            reports.append(await self._report(answer))
        return UploadReport(
            [each for report in reports for each in report.documents],
            sum(report.failed for report in reports),
            [each for report in reports for each in report.errors],
            [each for report in reports for each in report.task_ids],
            " ".join(report.message for report in reports if report.message),
            [*(file.name for file in files), *urls],
        )

    async def _report(self, answer: Answer) -> UploadReport:
        body: Any = answer.json()
        ack = ack_of(body, self._access.door.base_url)
        if not isinstance(body, dict):
            raise self._odd("what became of the upload")
        fields = cast("JsonObject", body)
        task_ids = [str(each) for each in _items(fields.get("task_ids")) if isinstance(each, str | int)]
        if ack is not None and ack.task_id:
            task_ids = [ack.task_id, *task_ids]
        failed, processed = fields.get("documents_failed"), fields.get("success")
        errors = [_said(each) for each in _items(fields.get("errors"))]
        documents = [_document(row) for row in rows_of(DocumentRow, body, "documents", "document")]
        if processed is False and not errors and not failed:
            errors = [
                one_line(str(fields.get("error") or fields.get("message") or "The server took nothing."))
            ]
        return UploadReport(
            documents,
            failed if isinstance(failed, int) and not isinstance(failed, bool) else 0,
            [each for each in errors if each],
            list(dict.fromkeys(task_ids)),
            one_line(fields["message"]) if isinstance(fields.get("message"), str) else "",
        )

    async def follow(self, report: UploadReport, agent_id: str) -> AsyncGenerator[Sequence[Document], None]:
        """The documents of an upload whenever something about them changed, until all are read or failed.

        Of an upload the server only acknowledged, the tasks are waited for first. Ends in silence when
        nothing changes for as long as a task has.
        """
        pace = self._access.pace
        known = list(report.documents)
        if not known:
            for task_id in report.task_ids:
                result = await self._access.task(
                    f"/v1/tasks/{segment(task_id)}/status", what="The documents were not stored"
                )
                known += [_document(row) for row in rows_of(DocumentRow, result, "documents", "document")]
        if not known:
            there = await self.all_documents(agent_id)
            known = [each for each in there if each.name in report.names]
        yield known
        waited, pause = 0.0, pace.first
        while waited < pace.give_up and not all(each.settled for each in known):
            await self._access.sleep(pause)
            waited, pause = waited + pause, pace.after(pause)
            by_id = {each.id: each for each in await self.all_documents(agent_id)}
            found = [by_id.get(each.id, each) for each in known]
            if found != known:
                known, waited, pause = found, 0.0, pace.first
                yield known

    async def delete_document(self, document_id: str) -> None:
        """DELETE /document/{id}: it can be restored."""
        await self._change("DELETE", f"/v1/document/{segment(document_id)}", "The document was not deleted")

    async def restore_document(self, document_id: str) -> None:
        """PATCH /document/{id}/restore (`knowrithm-py`)."""
        path = f"/v1/document/{segment(document_id)}/restore"
        await self._change("PATCH", path, "The document was not restored")

    # Websites

    async def websites(self, agent_id: str | None = None) -> list[Website]:
        """GET /website/source."""
        params = {"agent_id": agent_id} if agent_id is not None else None
        body = (await self._access.request("GET", "/v1/website/source", params=params)).json()
        return [_website(row) for row in rows_of(WebsiteRow, body, "website_sources", "sources")]

    async def add_website(
        self, agent_id: str, url: str, *, max_pages: int | None = None, max_depth: int | None = None
    ) -> Website:
        """POST /website/source: an agent reads this website from now on."""
        body: JsonObject = {"agent_id": agent_id, "base_url": url}
        if max_pages is not None:
            body["max_pages"] = max_pages
        if max_depth is not None:
            body["max_depth"] = max_depth
        answer = await self._access.request("POST", "/v1/website/source", body=body, unsure_note=_UNSURE)
        made = await self._access.outcome(answer, what="The website was not added")
        row = one_of(WebsiteRow, made, "website_source") or one_of(WebsiteRow, made, "source")
        if row is None:
            raise self._odd("which website it added")
        return _website(row)

    async def website_pages(self, website_id: str) -> list[WebsitePage]:
        """GET /website/source/{id}/pages: what was read of it."""
        path = f"/v1/website/source/{segment(website_id)}/pages"
        body = (await self._access.request("GET", path)).json()
        return [
            WebsitePage(
                row.id, row.canonical_url or row.url or row.path or "", row.title or "",
                row.last_crawl_status or row.status or "",
            )
            for row in rows_of(PageRow, body, "pages")
        ]  # fmt: skip

    async def crawl(self, website_id: str, *, max_pages: int | None = None) -> None:
        """Read the website anew; returns when the server took the order."""
        body = {"max_pages": max_pages} if max_pages is not None else {}
        await self._either("POST", f"website/source/{segment(website_id)}/crawl", body)

    async def delete_website(self, website_id: str) -> None:
        """An agent reads this website no more; what was read of it goes."""
        answer = await self._either("DELETE", f"website/source/{segment(website_id)}", None)
        await self._access.outcome(answer, what="The website was not removed")

    async def _either(self, method: Method, path: str, body: JsonObject | None) -> Answer:
        """The client library has these under `/sdk`, the vendor's command line without: whichever route is there."""
        answer = await self._access.request(method, f"/v1/sdk/{path}", body=body, also=(404, 405))
        if answer.status == 405 or (answer.status == 404 and said_by_knowrithm(answer) is None):
            answer = await self._access.request(method, f"/v1/{path}", body=body, also=(404,))
        if answer.status == 404:
            raise NotFound(f"{self._access.host} has no such website (any more).", code="website", status=404)
        return answer

    async def _change(self, method: Method, path: str, what: str) -> None:
        answer = await self._access.request(
            method, path, also=(404,), unsure_note=f"{what}, as far as is known."
        )
        if answer.status == 404:
            raise NotFound(
                f"{self._access.host} has no such document (any more).", code="document", status=404
            )
        await self._access.outcome(answer, what=what)

    def _odd(self, what: str) -> UnexpectedAnswer:
        return UnexpectedAnswer(f"{self._access.host} did not say {what}.", code="shape")


def only_active(agents: Sequence[Agent]) -> Agent | None:
    """The agent nobody has to be asked about; None when there is a choice."""
    active = [each for each in agents if each.status.lower() in ("", "active")]
    return active[0] if len(active) == 1 else None


def _agent(row: AgentRow) -> Agent:
    return Agent(row.id, row.name or row.id, row.description or "", row.status or "", row.model_name or "")


def _document(row: DocumentRow) -> Document:
    name = row.original_filename or row.filename or row.name or row.url or row.id
    return Document(
        row.id, name, row.status or "", row.processing_error or "", row.document_type or "", row.file_size,
        row.created_at or "",
    )  # fmt: skip


def _website(row: WebsiteRow) -> Website:
    return Website(
        row.id, row.base_url or row.url or row.domain or "", row.last_crawl_status or row.status or "",
        row.last_error or "", row.agent_id or "", row.last_crawl_completed_at or "", row.max_pages,
    )  # fmt: skip


def _items(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _said(error: Any) -> str:
    """One complaint of an upload: a text, or an object with one and a file."""
    if isinstance(error, str):
        return one_line(error)
    for fields in objects(error, 0):
        text = next(
            (fields[name] for name in ("error", "message", "detail") if isinstance(fields.get(name), str)), ""
        )
        names = ("file", "filename", "original_filename", "url")
        about = next((fields[name] for name in names if isinstance(fields.get(name), str)), "")
        return one_line(f"{about}: {text}" if about and text else text or about)
    return ""

"""Agents to choose from, and files for them: iMBRACE's chat-ai and data-board services (imbrace.md §10, §11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from kai_tui.backends.base import (
    Attachment,
    BackendError,
    CannotConnect,
    ConnectionLost,
    NotFound,
    Refused,
    Suggestion,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.backends.http import segment
from kai_tui.backends.imbrace import wire
from kai_tui.backends.imbrace.endpoints import ImbraceEndpoints
from kai_tui.backends.imbrace.offers import MODEL_PREFIX, Agent, KnowledgeFile
from kai_tui.backends.multipart import Form, LocalFile, OnProgress
from kai_tui.backends.tolerant import read, read_rows
from kai_tui.backends.without_extras import WithoutExtras
from kai_tui.conversation.events import JsonObject

if TYPE_CHECKING:
    from kai_tui.backends.http import Answer

MAX_ATTACHMENT: Final = 5 * 1024 * 1024
"""Bytes; the limit of the vendor's own client (§11), as are the kinds in `ATTACHABLE`."""
MAX_KNOWLEDGE: Final = 100 * 1024 * 1024
"""Bytes; ours, because a file is held in memory."""

ATTACHABLE: Final = ("image/", "application/pdf", "text/csv")
_UPLOAD_UNSURE: Final = "The file may or may not have been stored."


class ImbraceLibrary(ImbraceEndpoints, WithoutExtras):
    """What the other services offer to the chats. All methods raise only BackendErrors."""

    _no_completions = False
    """The completion endpoint turned out to be missing: bare models are not offered any more."""

    # Agents

    async def all_agents(self) -> Sequence[Agent]:
        """All there is to talk to: the account's agents, then bare models (`Agent.kind`).

        The models are left out when they cannot be listed; the agents must be.
        """
        found = await self.account_agents()
        models: Sequence[Agent] = ()
        try:
            if not self._no_completions:
                models = await self.models()
        except (TokenRefused, CannotConnect, ConnectionLost):
            raise
        except BackendError:
            pass
        return [*found, *models]

    async def account_agents(self) -> Sequence[Agent]:
        """GET {gateway}/v3/ai/accounts/assistants; where that is missing, the web client's list (§10)."""
        try:
            answer = await self._ask("GET", "/accounts/assistants", service="chat_ai")
        except NotFound:
            answer = await self._ask("GET", "/v3/marketplaces/use-cases", service="gateway")
        rows = wire.rows_of(answer.json(), "assistants")
        if rows is None:
            raise self._odd(answer)
        agents = (_agent(row) for row in read_rows(wire.AgentRow, rows))
        return list({agent.id: agent for agent in agents if agent is not None}.values())

    async def agent(self, agent_id: str) -> Agent:
        """GET {gateway}/v3/ai/assistants/{id} (§10)."""
        answer = await self._ask("GET", f"/assistants/{segment(agent_id)}", service="chat_ai")
        body: Any = answer.json()
        inner: Any = cast("JsonObject", body).get("data") if isinstance(body, dict) else None
        found = _agent(read(wire.AgentRow, inner if isinstance(inner, dict) else body, answer.host))
        if found is None:
            raise self._odd(answer)
        return found

    async def models(self) -> Sequence[Agent]:
        """GET {gateway}/v3/ai/workflow-agent/models, as agents of the kind `model` (§10)."""
        answer = await self._ask("GET", "/workflow-agent/models", service="chat_ai")
        rows = wire.rows_of(answer.json(), "models")
        if rows is None:
            raise self._odd(answer)
        return [
            Agent(
                id=f"{MODEL_PREFIX}{row.name}",
                name=row.name,
                kind="model",
                streaming=True,
                model=row.name,
                details=dict(row.model_extra or {}),
            )
            for row in read_rows(wire.ModelRow, rows)
            if row.name
        ]

    async def suggestions_of(self, agent_id: str) -> Sequence[Suggestion]:
        """GET /chat/get-agent-prompt-suggestion: what one could ask this agent (§10)."""
        answer = await self._ask(
            "GET", "/chat/get-agent-prompt-suggestion", params={"assistant_id": agent_id}
        )
        rows = wire.rows_of(answer.json(), "suggestions") or []
        return [Suggestion(row, row) for row in rows if isinstance(row, str) and row.strip()]

    # Files

    async def attach(self, file: LocalFile, *, on_progress: OnProgress | None = None) -> Attachment:
        """POST {gateway}/data-board/boards/upload: store a file for a message; its address goes along (§11).

        Raises Refused before anything is sent for files the vendor's own client does not take.
        """
        if not file.media_type.startswith(ATTACHABLE):
            raise Refused("Only images, PDF and CSV files can go with a message.", code="file-kind")
        _check_size(file, MAX_ATTACHMENT)
        answer = await self._ask(
            "POST",
            "/boards/upload",
            service="data_board",
            form=Form(file, on_progress=on_progress),
            unsure_note=_UPLOAD_UNSURE,
        )
        body: Any = answer.json()
        rows = read_rows(wire.UploadRow, wire.rows_of(body) or [body])
        url = rows[0].url if rows else None
        if not url:
            why: Any = rows[0].error if rows else None
            said = f": {why.strip()[:200]}" if isinstance(why, str) and why.strip() else "."
            raise Refused(f"{answer.host} did not store {file.name}{said}", code="file")
        return Attachment(checked_url(url), file.name, file.media_type)

    async def knowledge(self, agent_id: str) -> Sequence[KnowledgeFile]:
        """GET {gateway}/v3/ai/rag/files: what an agent can look things up in (§11)."""
        answer = await self._ask("GET", "/rag/files", service="chat_ai", params={"assistant_id": agent_id})
        rows = wire.rows_of(answer.json(), "files")
        if rows is None:
            raise self._odd(answer)
        files = (_knowledge_file(row) for row in read_rows(wire.FileRow, rows))
        return [file for file in files if file is not None]

    async def add_knowledge(
        self, agent_id: str, file: LocalFile, *, on_progress: OnProgress | None = None
    ) -> KnowledgeFile:
        """POST {gateway}/v3/ai/rag/files (§11). Returns when the server has read it, which can take minutes."""
        _check_size(file, MAX_KNOWLEDGE)
        form = Form(file, {"assistant_id": agent_id, "is_rag": "true"}, on_progress=on_progress)
        answer = await self._ask(
            "POST", "/rag/files", service="chat_ai", form=form, unsure_note=_UPLOAD_UNSURE
        )
        found = _knowledge_file(read(wire.FileRow, answer.json(), answer.host))
        if found is None:
            raise self._odd(answer)
        return found

    async def delete_knowledge(self, file_id: str) -> None:
        """DELETE {gateway}/v3/ai/rag/files/{id} (§11)."""
        self._done(
            await self._ask(
                "DELETE",
                f"/rag/files/{segment(file_id)}",
                service="chat_ai",
                unsure_note="The file may or may not have been deleted.",
            )
        )

    async def add_agent_file(
        self, agent_id: str, file: LocalFile, *, on_progress: OnProgress | None = None
    ) -> JsonObject:
        """POST {gateway}/v3/ai/files/agent: a file for an agent's setup; what the server says of it (§11)."""
        _check_size(file, MAX_KNOWLEDGE)
        form = Form(file, {"agent_id": agent_id}, on_progress=on_progress)
        return self._result(
            await self._ask("POST", "/files/agent", service="chat_ai", form=form, unsure_note=_UPLOAD_UNSURE)
        )

    async def extract_text(self, file: LocalFile, *, on_progress: OnProgress | None = None) -> str:
        """POST {gateway}/v3/ai/files/extract: the text of a PDF; the server stores nothing (§11)."""
        _check_size(file, MAX_KNOWLEDGE)
        answer = await self._ask(
            "POST", "/files/extract", service="chat_ai", form=Form(file, on_progress=on_progress)
        )
        result: Any = self._result(answer).get("result")
        for name in ("text", "content"):
            if isinstance(result, dict):
                result = cast("JsonObject", result).get(name, cast("Any", result))
        if not isinstance(result, str):
            raise UnexpectedAnswer(f"{answer.host} found no text in {file.name}.", code="shape")
        return result

    def _result(self, answer: Answer) -> JsonObject:
        return read(wire.Result, answer.json(), answer.host).model_dump()


def checked_url(url: str) -> str:
    """An address that may go with a message. Raises Refused for anything but http(s)."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Refused("A file goes with a message by its address: it has to begin with https://.", code="url")
    return url.strip()


def _check_size(file: LocalFile, limit: int) -> None:
    if not file.content:
        raise Refused(f"{file.name} is empty.", code="file-size")
    if len(file.content) > limit:
        raise Refused(f"{file.name} is too large: more than {limit // 2**20} MB.", code="file-size")


def _agent(row: wire.AgentRow) -> Agent | None:
    agent_id = row.id or row.assistant_id or row.mongo_id
    if not agent_id:
        return None
    return Agent(
        id=agent_id,
        name=row.name or agent_id,
        description=row.description or "",
        streaming=row.streaming,
        thinks=row.show_thinking_process is True,
        model=row.model_id or "",
        type=row.agent_type or "",
        details=dict(row.model_extra or {}),
    )


def _knowledge_file(row: wire.FileRow) -> KnowledgeFile | None:
    file_id = row.id or row.mongo_id
    if not file_id:
        return None
    return KnowledgeFile(
        id=file_id,
        name=row.filename or row.name or file_id,
        bytes=row.bytes if row.bytes is not None else row.size,
        agent=row.assistant_id or "",
        created_at=row.created_at or "",
    )

"""The knowledge files of an agent, as documents (imbrace.md §11)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from kai_tui.backends.base import BackendError, Refused, TokenRefused, Unsupported
from kai_tui.backends.documents import Document, DocumentTerms, OnlyFiles
from kai_tui.backends.imbrace.library import MAX_KNOWLEDGE, ImbraceLibrary
from kai_tui.backends.imbrace.offers import MODEL_PREFIX, KnowledgeFile
from kai_tui.backends.imbrace.words import NO_AGENT
from kai_tui.backends.multipart import LocalFile, OnProgress

_NO_AGENT: Final = "Choose an agent first: knowledge files belong to one."
_MODEL: Final = "A model without an agent looks nothing up. Choose an agent."


class Shelf(OnlyFiles):
    """What the agent of a chat looks things up in."""

    def __init__(self, library: ImbraceLibrary, agent_of: Callable[[str | None], str | None]) -> None:
        """`agent_of` tells whom a chat is with; for None, whom a new one will be with."""
        self._library = library
        self._agent_of = agent_of
        self._names: dict[str, str] = {}

    def terms(self, chat_id: str | None = None) -> DocumentTerms:
        agent = self._agent_of(chat_id) or ""
        name = self._names.get(agent, agent)
        whose = f"the agent “{name}”" if name else "an agent"
        return DocumentTerms(whose, holder=agent, largest=MAX_KNOWLEDGE)

    async def list(self, chat_id: str | None = None) -> Sequence[Document]:
        agent = self._agent(chat_id)
        found = [_document(each) for each in await self._library.knowledge(agent)]
        await self._learn_name(agent)
        return found

    async def store(
        self, file: LocalFile, *, chat_id: str | None = None, on_progress: OnProgress | None = None
    ) -> Document:
        """Returns when the server has read it, which can take minutes."""
        stored = await self._library.add_knowledge(self._agent(chat_id), file, on_progress=on_progress)
        return _document(stored, read=True)

    async def delete(self, document: Document) -> None:
        await self._library.delete_knowledge(document.id)

    def _agent(self, chat_id: str | None) -> str:
        agent = self._agent_of(chat_id)
        if not agent:
            raise Refused(_NO_AGENT, code=NO_AGENT)
        if agent.startswith(MODEL_PREFIX):
            raise Unsupported(_MODEL)
        return agent

    async def _learn_name(self, agent: str) -> None:
        """For `terms`; a list without it is still whole."""
        if agent in self._names:
            return
        try:
            self._names[agent] = (await self._library.agent(agent)).name
        except TokenRefused:
            raise
        except BackendError:
            pass


def _document(file: KnowledgeFile, *, read: bool = False) -> Document:
    # Of files in the list the server does not say whether it could read them.
    return Document(
        file.id, file.name, state="ready" if read else "", size=file.bytes, created_at=file.created_at
    )

"""Knowledge files of the agent of a chat, as documents (§11)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from kai_tui.backends.base import NotFound, Refused, Unsupported
from kai_tui.backends.multipart import LocalFile
from tests.backends.imbrace.kit import CHAT, account
from tests.fakes.imbrace import ImbraceFake


@pytest.fixture
async def server() -> AsyncIterator[ImbraceFake]:
    async with ImbraceFake() as running:
        yield running


async def test_stored_listed_and_deleted_for_the_agent_of_the_chat(server: ImbraceFake):
    backend = account(server.url)
    documents = backend.documents
    told: list[tuple[int, int]] = []
    stored = await documents.store(
        LocalFile("prices.csv", b"a,b\n" * 50_000, "text/csv"), on_progress=lambda *each: told.append(each)
    )
    assert (stored.name, stored.state, stored.size) == ("prices.csv", "ready", 200_000)
    assert len(told) > 3
    assert server.uploads[0][0] == {"assistant_id": "asst_stream", "is_rag": "true"}
    (listed,) = await documents.list()
    # The server does not say of a file in its list whether it could read it.
    assert (listed.id, listed.state) == (stored.id, "")
    backend.choose("asst_plain", chat_id=CHAT)
    assert await documents.list(CHAT) == []
    await documents.delete(listed)
    assert await documents.list() == []
    with pytest.raises(NotFound):
        await documents.delete(listed)
    await backend.aclose()


async def test_the_agent_is_named_once_it_was_asked_for(server: ImbraceFake):
    backend = account(server.url)
    assert backend.documents.terms().whose == "the agent “asst_stream”"
    await backend.documents.list()
    name = (await backend.agent("asst_stream")).name
    assert backend.documents.terms().whose == f"the agent “{name}”"
    await backend.aclose()


async def test_without_an_agent_there_are_none(server: ImbraceFake):
    backend = account(server.url, agent=None)
    with pytest.raises(Refused, match="Choose an agent first"):
        await backend.documents.list()
    backend.choose("model:gpt", chat_id=CHAT)
    with pytest.raises(Unsupported, match="looks nothing up"):
        await backend.documents.store(LocalFile("a.txt", b"x"), chat_id=CHAT)
    assert server.uploads == []
    await backend.aclose()

"""Documents and websites of an agent through the one door for documents (§9)."""

from __future__ import annotations

import asyncio

import pytest

from kai_tui.backends.base import NotFound, Refused, Unsupported
from kai_tui.backends.multipart import LocalFile
from tests.backends.kai_server import TIMEOUT, answer
from tests.backends.knowrithm.desk import CHAT, asked, calls, knowrithm
from tests.backends.knowrithm.desk import server as server  # the fixture
from tests.fakes.knowrithm import FakeKnowrithm


def a_file(name: str = "kb.txt", content: bytes = b"hello kb") -> LocalFile:
    return LocalFile(name, content, "text/plain")


async def test_a_file_is_stored_then_read_then_ready(server: FakeKnowrithm):
    backend = knowrithm(server)
    taken = await backend.documents.store(a_file())
    assert (taken.id, taken.state, taken.size) == ("d-1", "working", 8)
    waiting = asyncio.create_task(backend.documents.settled(taken))
    async with asyncio.timeout(TIMEOUT):
        while calls(server).count("GET /document/agent/a-1") < 2:
            await asyncio.sleep(0)
        assert not waiting.done()
        server.documents[0]["status"] = "processed"
        ready = await waiting
    assert (ready.id, ready.state) == ("d-1", "ready")
    await backend.aclose()


async def test_one_that_cannot_be_read_says_why(server: FakeKnowrithm):
    backend = knowrithm(server)
    taken = await backend.documents.store(a_file())
    server.documents[0] |= {"status": "failed", "processing_error": "No text in it"}
    failed = await backend.documents.settled(taken)
    assert (failed.state, failed.note) == ("failed", "No text in it")
    await backend.aclose()


async def test_an_upload_that_was_only_acknowledged_is_found_by_its_name(server: FakeKnowrithm):
    server.writes_are_tasks = True
    backend = knowrithm(server)
    taken = await backend.documents.store(a_file())
    assert taken.state == "working"
    server.documents[0]["status"] = "processed"
    ready = await backend.documents.settled(taken)
    assert (ready.id, ready.state) == ("d-1", "ready")
    await backend.aclose()


async def test_a_document_on_a_later_page_is_followed_too(server: FakeKnowrithm):
    server.per_page_limit = 100
    for number in range(250):
        server._document(f"{number}.txt", b"x", "a-1")  # pyright: ignore[reportPrivateUsage]
    for row in server.documents:
        row["status"] = "processed"
    backend = knowrithm(server)
    taken = await backend.documents.store(a_file("last.txt"))
    server.documents[-1]["status"] = "processed"
    async with asyncio.timeout(TIMEOUT):
        ready = await backend.documents.settled(taken)
    assert (ready.id, ready.state) == ("d-251", "ready")
    assert len(await backend.documents.list()) == 251
    await backend.aclose()


async def test_a_file_the_server_took_nothing_of(server: FakeKnowrithm):
    server.on("POST /api/v1/document/upload", answer(200, {"success": False, "error": "Quota reached"}))
    backend = knowrithm(server)
    found = await backend.documents.store(a_file())
    assert (found.state, found.note) == ("failed", "Quota reached")
    await backend.aclose()


async def test_what_is_not_read_there_is_refused_before_anything_is_sent(server: FakeKnowrithm):
    backend = knowrithm(server)
    for file, why in (
        (a_file("virus.exe"), "of a kind"),
        (a_file(content=b""), "is empty"),
    ):
        with pytest.raises(Refused, match=why):
            await backend.documents.store(file)
    assert calls(server) == []
    await backend.aclose()


async def test_deleted_and_brought_back(server: FakeKnowrithm):
    backend = knowrithm(server)
    stored = await backend.documents.store(a_file())
    await backend.documents.delete(stored)
    assert await backend.documents.list() == []
    await backend.documents.restore(stored)
    assert [each.name for each in await backend.documents.list()] == ["kb.txt"]
    await backend.aclose()


async def test_websites_are_added_read_anew_and_removed(server: FakeKnowrithm):
    backend = knowrithm(server)
    added = await backend.documents.add_website("https://docs.example")
    assert (added.name, added.kind) == ("https://docs.example", "website")
    server.websites[0]["last_crawl_status"] = "crawling"
    (listed,) = await backend.documents.list()
    assert listed.state == "working"
    await backend.documents.crawl(listed)
    server.websites[0]["last_crawl_status"] = "completed"
    assert (await backend.documents.settled(listed)).state == "ready"
    (page,) = await backend.documents.pages(listed)
    assert (page.name, page.kind, page.state, page.note) == (
        "https://docs.example/a", "page", "ready", "A",
    )  # fmt: skip
    with pytest.raises(Unsupported, match="Add it again"):
        await backend.documents.restore(listed)
    await backend.documents.delete(listed)
    assert server.websites == []
    with pytest.raises(NotFound):
        await backend.documents.crawl(listed)
    await backend.aclose()


async def test_a_server_without_websites_has_documents_all_the_same(server: FakeKnowrithm):
    server.on("GET /api/v1/website/source", answer(404, {"error": "no such route"}))
    backend = knowrithm(server)
    await backend.documents.store(a_file())
    assert len(await backend.documents.list()) == 1
    assert not backend.documents.terms().websites
    await backend.aclose()


async def test_whose_they_are(server: FakeKnowrithm):
    server.agents[1]["status"] = "active"
    backend = knowrithm(server)
    with pytest.raises(Refused, match="Choose the agent"):
        await backend.documents.list()
    backend.choose_agent("a-2")
    await backend.documents.list()
    assert backend.documents.terms().whose == "the agent “Old”"
    # A chat that is there keeps its agent, and its documents are that one's.
    backend.choose_agent("a-1")
    await asked(backend, "Hi", CHAT, new_chat=True)
    backend.choose_agent("a-2")
    assert backend.documents.terms(CHAT).whose == "the agent “Support”"
    stored = await backend.documents.store(a_file(), chat_id=CHAT)
    assert [row["agent_id"] for row in server.documents if row["id"] == stored.id] == ["a-1"]
    await backend.aclose()

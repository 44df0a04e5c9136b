"""Agents, documents and websites (§6, §9)."""

from __future__ import annotations

import pytest

from kai_tui.backends.base import NotFound, Refused
from kai_tui.backends.knowrithm.offers import Agent, Document, only_active
from kai_tui.backends.multipart import LocalFile
from tests.backends.kai_server import answer, hang_up
from tests.backends.knowrithm.desk import calls, knowrithm
from tests.backends.knowrithm.desk import server as server  # the fixture
from tests.fakes.knowrithm import FakeKnowrithm


def a_file(name: str = "kb.txt", text: str = "hello kb") -> LocalFile:
    return LocalFile(name, text.encode(), "text/plain")


# Agents


@pytest.mark.parametrize("key", [None, "data"])
async def test_agents_of_all_pages(server: FakeKnowrithm, key: str | None):
    server.list_key, server.per_page_limit = key, 2
    server.agents += [{"id": f"a-{number}", "name": f"Agent {number}"} for number in range(3, 6)]
    backend = knowrithm(server)
    found = await backend.offers.agents()
    assert [each.id for each in found] == ["a-1", "a-2", "a-3", "a-4", "a-5"]
    assert found[0] == Agent("a-1", "Support", "Helps", "active", "m-1")
    await backend.offers.agents(search="sup", status="active")
    assert server.seen[-1].query["search"] == "sup"
    assert server.seen[-1].query["status"] == "active"
    await backend.aclose()


async def test_one_agent(server: FakeKnowrithm):
    backend = knowrithm(server)
    assert (await backend.offers.agent("a-2")).name == "Old"
    assert (await backend.offers.agent_by_name("Support")).id == "a-1"
    for call in (backend.offers.agent("x"), backend.offers.agent_by_name("No one/else")):
        with pytest.raises(NotFound, match="no such agent"):
            await call
    await backend.aclose()


def test_the_agent_nobody_has_to_be_asked_about():
    active, off = Agent("1", "A", status="active"), Agent("2", "B", status="inactive")
    assert only_active([active, off]) == active
    assert only_active([active, active]) is None
    assert only_active([off]) is None
    assert only_active([Agent("1", "A")]) == Agent("1", "A")


# Documents


async def test_files_are_uploaded_with_progress_in_one_request(server: FakeKnowrithm):
    backend = knowrithm(server)
    told: list[tuple[int, int]] = []
    report = await backend.offers.upload(
        "a-1", [a_file(), a_file("big.txt", "x" * 300_000)], fields={"tags": "x"},
        on_progress=lambda *each: told.append(each),
    )  # fmt: skip
    assert report.whole
    assert [(each.name, each.status, each.size) for each in report.documents] == [
        ("kb.txt", "pending", 8), ("big.txt", "pending", 300_000),
    ]  # fmt: skip
    assert calls(server) == ["POST /document/upload"]
    assert b'name="files"; filename="kb.txt"' in server.seen[0].body
    assert b'name="agent_id"' in server.seen[0].body
    assert told[-1][0] == told[-1][1] > 300_000
    assert len(told) > 5
    await backend.aclose()


async def test_addresses_go_as_json(server: FakeKnowrithm):
    backend = knowrithm(server)
    report = await backend.offers.upload("a-1", urls=["https://example.com/a"])
    assert server.seen[0].body == {"agent_id": "a-1", "urls": ["https://example.com/a"]}
    assert [each.name for each in report.documents] == ["https://example.com/a"]
    both = await backend.offers.upload("a-1", [a_file()], urls=["https://example.com/b"])
    assert [each.name for each in both.documents] == ["kb.txt", "https://example.com/b"]
    with pytest.raises(Refused):
        await backend.offers.upload("a-1")
    await backend.aclose()


async def test_a_partial_success_says_what_was_not_taken(server: FakeKnowrithm):
    backend = knowrithm(server)
    report = await backend.offers.upload("a-1", [a_file(), a_file("virus.exe")])
    assert not report.whole
    assert (report.failed, report.errors) == (1, ["virus.exe: Unsupported type"])
    assert [each.name for each in report.documents] == ["kb.txt"]
    server.on("POST /api/v1/document/upload", answer(200, {"success": False, "error": "Quota reached"}))
    nothing = await backend.offers.upload("a-1", [a_file()])
    assert (nothing.whole, nothing.errors) == (False, ["Quota reached"])
    server.on(
        "POST /api/v1/document/upload",
        answer(
            400, {"error": "Validation failed", "code": "DOC_001", "details": {"files": ["File too large"]}}
        ),
    )
    with pytest.raises(Refused, match=r"Validation failed \(files: File too large\)"):
        await backend.offers.upload("a-1", [a_file()])
    await backend.aclose()


async def test_an_upload_whose_answer_is_lost_goes_once(server: FakeKnowrithm):
    server.on("POST /api/v1/document/upload", hang_up)
    backend = knowrithm(server)
    with pytest.raises(Exception, match="may or may not have been stored"):
        await backend.offers.upload("a-1", [a_file()])
    assert len(server.seen) == 1
    await backend.aclose()


async def test_reading_the_documents_is_followed(server: FakeKnowrithm):
    backend = knowrithm(server)
    report = await backend.offers.upload("a-1", [a_file(), a_file("b.txt")])
    steps: list[list[str]] = []
    async for documents in backend.offers.follow(report, "a-1"):
        steps.append([each.status for each in documents])
        row = server.documents[min(len(steps) - 1, 1)]
        row["status"] = "failed" if len(steps) > 1 else "processed"
        row["processing_error"] = "Unreadable" if len(steps) > 1 else None
    assert steps == [["pending", "pending"], ["processed", "pending"], ["processed", "failed"]]
    await backend.aclose()


@pytest.mark.parametrize("as_text", [True, False])
async def test_an_upload_that_was_only_acknowledged_is_followed_too(server: FakeKnowrithm, as_text: bool):
    server.writes_are_tasks, server.results_as_text = True, as_text
    backend = knowrithm(server)
    report = await backend.offers.upload("a-1", [a_file()])
    assert (report.documents, len(report.task_ids)) == ([], 1)
    server.documents[0]["status"] = "processed"
    found = [list(step) async for step in backend.offers.follow(report, "a-1")]
    assert found == [[Document("d-1", "kb.txt", "processed", "", "txt", 8, "2026-11-03T10:00:00Z")]]
    await backend.aclose()


@pytest.mark.parametrize("key", [None, "documents", "data"])
async def test_list_delete_and_restore(server: FakeKnowrithm, key: str | None):
    server.list_key = key
    backend = knowrithm(server)
    await backend.offers.upload("a-1", [a_file(f"{number}.txt") for number in range(5)])
    first = await backend.offers.documents(limit=3)
    assert first.cursor is not None
    second = await backend.offers.documents(limit=3, cursor=first.cursor)
    assert [each.name for each in (*first.items, *second.items)] == [f"{number}.txt" for number in range(5)]
    assert second.cursor is None
    assert len((await backend.offers.documents(agent_id="a-1")).items) == 5
    assert (await backend.offers.documents(agent_id="a-2")).items == []
    await backend.offers.delete_document("d-2")
    assert len((await backend.offers.documents()).items) == 4
    server.writes_are_tasks = True
    await backend.offers.restore_document("d-2")
    assert len((await backend.offers.documents()).items) == 5
    with pytest.raises(NotFound, match="no such document"):
        await backend.offers.delete_document("d-9")
    await backend.aclose()


# Websites


@pytest.mark.parametrize("later", [True, False])
async def test_websites(server: FakeKnowrithm, later: bool):
    server.writes_are_tasks = later
    backend = knowrithm(server)
    made = await backend.offers.add_website("a-1", "https://docs.example", max_pages=20, max_depth=2)
    assert (made.id, made.url, made.status, made.max_pages) == ("w-1", "https://docs.example", "active", 20)
    added = next(seen for seen in server.seen if seen.path.endswith("/website/source"))
    assert added.body == {
        "agent_id": "a-1", "base_url": "https://docs.example", "max_pages": 20, "max_depth": 2,
    }  # fmt: skip
    assert [each.id for each in await backend.offers.websites("a-1")] == ["w-1"]
    assert await backend.offers.websites("a-2") == []
    (page,) = await backend.offers.website_pages("w-1")
    assert (page.url, page.title, page.status) == ("https://docs.example/a", "A", "crawled")
    await backend.offers.crawl("w-1", max_pages=5)
    assert server.seen[-1].body == {"max_pages": 5}
    await backend.offers.delete_website("w-1")
    assert await backend.offers.websites() == []
    for call in (backend.offers.delete_website("w-1"), backend.offers.crawl("w-1")):
        with pytest.raises(NotFound, match="no such website"):
            await call
    await backend.aclose()


async def test_websites_of_a_server_without_the_sdk_routes(server: FakeKnowrithm):
    html = answer(404, b"<!doctype html><title>404</title>", {"content-type": "text/html"})
    for method, rest in (("POST", "/crawl"), ("DELETE", "")):
        server.on(f"{method} /api/v1/sdk/website/source/w{rest}", html)
        server.on(f"{method} /api/v1/website/source/w{rest}", answer(200, {"message": "ok"}))
    backend = knowrithm(server)
    await backend.offers.crawl("w")
    await backend.offers.delete_website("w")
    assert calls(server)[-1] == "DELETE /website/source/w"
    await backend.aclose()

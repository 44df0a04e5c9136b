"""Documents of an account: stored one after the other, once each, and what became of them told truly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from kai_tui.services.documents import DocumentDesk, Upload
from kai_tui.services.local_files import FoundFile, look_at
from tests.backends.kai_server import Exchange, Gate, answer, hang_up
from tests.backends.kiss.test_chat import kiss
from tests.backends.knowrithm.desk import knowrithm
from tests.fakes.kiss import FakeKiss
from tests.fakes.knowrithm import FakeKnowrithm

UPLOAD = "POST /api/v1/document/upload"


@pytest.fixture
async def server() -> AsyncIterator[FakeKnowrithm]:
    async with FakeKnowrithm() as running:
        yield running


@pytest.fixture
async def desk(server: FakeKnowrithm) -> AsyncIterator[DocumentDesk]:
    backend = knowrithm(server)

    async def provide():
        return backend

    desk = DocumentDesk(provide)
    await desk.show(None)
    yield desk
    await desk.aclose()
    await backend.aclose()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


def a_file(folder: Path, name: str = "kb.txt", content: bytes = b"hello kb") -> FoundFile:
    (folder / name).write_bytes(content)
    return look_at(str(folder / name))


def uploads(server: FakeKnowrithm) -> int:
    return sum(f"{seen.method} {seen.path}" == UPLOAD for seen in server.seen)


def states(desk: DocumentDesk) -> list[str]:
    return [each.state for each in desk.uploads]


async def test_files_go_one_after_the_other_and_their_reading_is_followed(
    server: FakeKnowrithm, desk: DocumentDesk, tmp_path: Path
):
    ends: list[Upload] = []
    desk.observe(lambda upload: ends.append(upload) if upload is not None else None)
    assert desk.add([a_file(tmp_path), a_file(tmp_path, "big.txt", b"x" * 400_000)]) == []
    await until(lambda: states(desk) == ["being-read", "being-read"])
    assert desk.uploads[1].sent == desk.uploads[1].total > 400_000
    server.documents[0]["status"] = "processed"
    server.documents[1] |= {"status": "failed", "processing_error": "No words in it"}
    await until(lambda: states(desk) == ["ready", "failed"])
    assert desk.uploads[1].note == "No words in it"
    assert {(each.name, each.state) for each in ends} == {("kb.txt", "ready"), ("big.txt", "failed")}
    await until(lambda: [row.document.state for row in desk.rows] == ["ready", "failed"])
    assert uploads(server) == 2
    # What became of them stays until it was seen.
    desk.put_away()
    assert desk.uploads == []


async def test_pressing_twice_stores_once(server: FakeKnowrithm, desk: DocumentDesk, tmp_path: Path):
    file = a_file(tmp_path)
    assert desk.add([file]) == []
    assert desk.add([file]) == ["kb.txt is on its way already."]
    await until(lambda: states(desk) == ["being-read"])
    assert desk.add([file]) == ["kb.txt is on its way already."]
    assert uploads(server) == 1


async def test_a_file_is_not_stored_with_an_agent_that_was_chosen_after_it_was_added(
    server: FakeKnowrithm, tmp_path: Path
):
    server.agents[1]["status"] = "active"
    first, second = (each["id"] for each in server.agents[:2])
    backend = knowrithm(server, agent_id=first)

    async def provide():
        return backend

    desk = DocumentDesk(provide)
    await desk.show(None)
    gate = Gate()

    async def slow(exchange: Exchange) -> None:
        server.on(UPLOAD, server.otherwise(exchange.seen))
        await gate.wait()
        await server.otherwise(exchange.seen)(exchange)

    server.on(UPLOAD, slow)
    desk.add([a_file(tmp_path), a_file(tmp_path, "late.txt")])
    await until(lambda: uploads(server) == 1)
    await backend.agents.choose(second)
    gate.open()
    await until(lambda: states(desk) == ["being-read", "failed"])
    assert "Another agent was chosen meanwhile" in desk.uploads[1].note
    assert uploads(server) == 1
    await desk.aclose()
    await backend.aclose()


async def test_what_the_server_does_not_take_is_refused_before_anything_is_sent(
    server: FakeKnowrithm, desk: DocumentDesk, tmp_path: Path
):
    (why,) = desk.add([a_file(tmp_path, "virus.exe")])
    assert why.startswith("virus.exe is of a kind the server does not read. It takes .pdf, ")
    large = FoundFile("/x/large.pdf", "large.pdf", 2**30)
    assert desk.add([large]) == ["large.pdf is too large: at most 100 MB can be sent."]
    assert uploads(server) == 0
    assert desk.uploads == []


async def test_a_file_that_went_away_is_told_and_the_next_one_goes(
    server: FakeKnowrithm, desk: DocumentDesk, tmp_path: Path
):
    gone, there = a_file(tmp_path, "gone.txt"), a_file(tmp_path)
    (tmp_path / "gone.txt").unlink()
    desk.add([gone, there])
    await until(lambda: states(desk) == ["failed", "being-read"])
    assert "is not there any more" in desk.uploads[0].note
    assert uploads(server) == 1


async def test_an_upload_whose_answer_is_lost_is_not_repeated(
    server: FakeKnowrithm, desk: DocumentDesk, tmp_path: Path
):
    server.on(UPLOAD, hang_up)
    desk.add([a_file(tmp_path)])
    await until(lambda: states(desk) == ["failed"])
    assert desk.uploads[0].note.endswith("It may or may not have been stored.")
    assert uploads(server) == 1


async def test_a_server_that_asks_to_wait_gets_it_once_more(
    server: FakeKnowrithm, desk: DocumentDesk, tmp_path: Path
):
    made = {
        "success": True,
        "documents": [{"id": "d-9", "original_filename": "kb.txt", "status": "processed"}],
    }
    server.on(UPLOAD, answer(429, {"error": "slow down"}, {"retry-after": "0"}), answer(200, made))
    desk.add([a_file(tmp_path)])
    await until(lambda: states(desk) == ["ready"])
    server.on(UPLOAD, answer(429, {"error": "slow down"}, {"retry-after": "600"}))
    desk.add([a_file(tmp_path, "other.txt")])
    await until(lambda: states(desk)[-1] == "failed")
    assert uploads(server) == 3


async def test_stopping_says_what_the_server_has(server: FakeKnowrithm, desk: DocumentDesk, tmp_path: Path):
    gate = Gate()

    async def slow(exchange):
        await gate.wait()
        await hang_up(exchange)

    server.on(UPLOAD, slow)
    desk.add([a_file(tmp_path), a_file(tmp_path, "next.txt")])
    await until(lambda: desk.uploads[0].sent == desk.uploads[0].total > 0)
    desk.stop(desk.uploads[1].number)
    desk.stop(desk.uploads[0].number)
    assert [(each.state, each.note) for each in desk.uploads] == [
        ("stopped", "It may or may not have been stored."), ("stopped", "It was not sent."),
    ]  # fmt: skip
    gate.open()
    desk.add([a_file(tmp_path, "third.txt")])
    server.on(UPLOAD, answer(200, {"documents": [{"id": "d-9", "status": "processed"}]}))
    await until(lambda: states(desk) == ["stopped", "stopped", "ready"])
    assert uploads(server) == 2


async def test_deleting_and_bringing_back(server: FakeKnowrithm, desk: DocumentDesk):
    server._document("a.txt", b"x", "a-1")  # pyright: ignore[reportPrivateUsage]
    await desk.load()
    (row,) = desk.rows
    await asyncio.gather(desk.delete(row.document), desk.delete(row.document))
    assert [seen.method for seen in server.seen].count("DELETE") == 1
    (row,) = desk.rows
    assert row.doing == "deleted"
    await desk.restore(row.document)
    (row,) = desk.rows
    assert row.doing == ""
    assert not server.documents[0]["deleted"]


async def test_what_could_not_be_deleted_is_still_there(server: FakeKnowrithm, desk: DocumentDesk):
    server._document("a.txt", b"x", "a-1")  # pyright: ignore[reportPrivateUsage]
    await desk.load()
    server.on("DELETE /api/v1/document/d-1", answer(403, {"error": "Not yours"}))
    await desk.delete(desk.rows[0].document)
    (row,) = desk.rows
    assert (row.doing, "Not yours" in row.trouble) == ("", True)


async def test_a_list_that_cannot_be_read_leaves_the_old_one(server: FakeKnowrithm, desk: DocumentDesk):
    server._document("a.txt", b"x", "a-1")  # pyright: ignore[reportPrivateUsage]
    await desk.load()
    server.on("GET /api/v1/document/agent/a-1", answer(500, {"error": "broken"}))
    await desk.load()
    assert desk.problem
    assert [row.document.name for row in desk.rows] == ["a.txt"]
    server.on("GET /api/v1/document/agent/a-1", answer(200, {"document": []}))
    await desk.load()
    assert (desk.problem, desk.loading) == ("", False)


async def test_websites(server: FakeKnowrithm, desk: DocumentDesk):
    assert desk.add_website("docs.example") == "The address of a website begins with https://."
    assert desk.add_website("https://docs.example") == ""
    assert desk.add_website("https://docs.example") == "This website is on its way already."
    await until(lambda: states(desk) == ["ready"])
    await until(lambda: [row.document.kind for row in desk.rows] == ["website"])
    assert await desk.crawl(desk.rows[0].document) == ""
    assert [page.note for page in await desk.pages(desk.rows[0].document)] == ["A"]
    await desk.delete(desk.rows[0].document)
    assert desk.rows == []


async def test_a_stack_that_stored_nothing_is_not_believed(tmp_path: Path):
    async with FakeKiss() as stack:
        backend = kiss(stack)

        async def provide():
            return backend

        desk = DocumentDesk(provide)
        await desk.show(None)
        desk.add([a_file(tmp_path, "notes.txt"), a_file(tmp_path, "film.mp4")])
        await until(lambda: states(desk) == ["ready", "failed"])
        assert desk.uploads[1].note.endswith("accepted film.mp4 but stored nothing of it.")
        await until(lambda: [row.document.name for row in desk.rows] == ["notes.txt"])
        large = FoundFile("/x/large.pdf", "large.pdf", 30 * 2**20)
        assert desk.warning(large).startswith("large.pdf has 30 MB. The server holds all of it in memory")
        await desk.aclose()
        await backend.aclose()

"""Forms with files, over real HTTP: read back by somebody else's parser, with progress, sent once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.parser import BytesParser
from email.policy import HTTP

import pytest

from kai_tui.backends.base import ConnectionLost, TokenRefused, UnexpectedAnswer
from kai_tui.backends.http import HttpDoor, Timeouts
from kai_tui.backends.multipart import Form, LocalFile
from kai_tui.backends.secret import Secret
from tests.backends.kai_server import KaiServer, answer, hang_up, stream_then


@pytest.fixture
async def server() -> AsyncIterator[KaiServer]:
    async with KaiServer() as running:
        yield running


async def upload(server: KaiServer, form: Form) -> None:
    door = HttpDoor(server.url)
    try:
        await door.request("POST", "/files", form=form, unsure_note="Perhaps stored.")
    finally:
        await door.aclose()


def read_back(server: KaiServer) -> list[tuple[str, str | None, str, bytes]]:
    """Name, file name, media type and content of each part, by the standard library's parser."""
    seen = server.seen[-1]
    head = f"content-type: {seen.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + seen.body)
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


async def test_a_file_and_its_fields_arrive_as_they_are(server: KaiServer):
    server.on("POST /files", answer(200, {}))
    content = bytes(range(256)) * 1024
    told: list[tuple[int, int]] = []
    file = LocalFile("návrh 1.pdf", content, "application/pdf")
    form = Form(file, {"agent_id": "a1", "is_rag": "true"}, on_progress=lambda *each: told.append(each))
    await upload(server, form)
    assert server.seen[-1].headers["content-length"] == str(len(form))
    assert "transfer-encoding" not in server.seen[-1].headers
    parts = read_back(server)
    assert [part[0] for part in parts] == ["agent_id", "is_rag", "file"]
    assert parts[2][2] == "application/pdf"
    assert parts[2][3] == content
    assert told[-1] == (len(form), len(form))
    assert [sent for sent, _ in told] == sorted({sent for sent, _ in told})
    assert len(told) > 4


@pytest.mark.parametrize("name", ['a"b.txt', "a\r\nx-evil: 1\r\n\r\n.txt", "a\0b", "\udcff.txt"])
async def test_a_file_name_cannot_leave_its_quotes(server: KaiServer, name: str):
    server.on("POST /files", answer(200, {}))
    await upload(server, Form(LocalFile(name, b"x", "text/plain\r\nx-evil: 1")))
    head = server.seen[-1].body.split(b"\r\n\r\n")[0]
    assert b"\r\nx-evil" not in head
    assert head.count(b'"') == 4
    assert [(part[0], part[2], part[3]) for part in read_back(server)] == [
        ("file", "application/octet-stream", b"x")
    ]


async def test_an_empty_file_can_be_sent(server: KaiServer):
    server.on("POST /files", answer(200, {}))
    await upload(server, Form(LocalFile("a.txt", b"", "text/plain")))
    assert read_back(server) == [("file", "a.txt", "text/plain", b"")]


async def test_an_upload_whose_answer_is_lost_is_not_repeated(server: KaiServer):
    server.on("POST /files", hang_up)
    with pytest.raises(ConnectionLost) as caught:
        await upload(server, Form(LocalFile("a.txt", b"x")))
    assert caught.value.sentence.endswith("Perhaps stored.")
    assert len(server.seen) == 1


def test_the_content_is_not_in_the_repr():
    assert "topsecret" not in repr(LocalFile("a.txt", b"topsecret"))


# What else adapters need of the door


async def test_a_bearer_token_goes_out_as_one_and_stays_out_of_the_request(server: KaiServer):
    server.on("GET /", answer(200, {}))
    door = HttpDoor(server.url, auth_headers={"authorization": Secret("Bearer abc.def")})
    await door.request("GET", "/")
    assert server.seen[-1].headers["authorization"] == "Bearer abc.def"
    await door.aclose()
    for odd in ("Bearer a b", "a b", "Bearer ", " x"):
        door = HttpDoor(server.url, auth_headers={"authorization": Secret(odd)})
        with pytest.raises(TokenRefused):
            await door.request("GET", "/")
    assert len(server.seen) == 1


async def test_only_the_media_types_asked_for_are_an_answer(server: KaiServer):
    server.on("POST /chat", answer(200, b"hello", {"content-type": "Text/Plain; charset=utf-8"}))
    door = HttpDoor(server.url, timeouts=Timeouts())
    async with door.stream("POST", "/chat", body={}, accepts=("text/event-stream", "text/plain")) as found:
        assert await found.aread() == b"hello"
    assert server.seen[-1].headers["accept"] == "text/event-stream, text/plain"
    with pytest.raises(UnexpectedAnswer):
        async with door.stream("POST", "/chat", body={}):
            pass
    server.on("POST /chat", stream_then(b": hi\n\n", "hold"))
    async with asyncio.timeout(5), door.stream("POST", "/chat", body={}, accepts=("text/event-stream",)):
        pass
    await door.aclose()


async def test_several_files_go_in_one_form(server: KaiServer):
    server.on("POST /files", answer(207, {}))
    files = [LocalFile("a.txt", b"A" * 70_000, "text/plain"), LocalFile("b.pdf", b"", "application/pdf")]
    form = Form(files, {"agent_id": "a1"}, field="files")
    await upload(server, form)
    assert server.seen[-1].headers["content-length"] == str(len(form))
    assert read_back(server) == [
        ("agent_id", None, "text/plain", b"a1"),
        ("files", "a.txt", "text/plain", b"A" * 70_000),
        ("files", "b.pdf", "application/pdf", b""),
    ]


async def test_another_status_can_be_an_answer_and_its_pause_is_read(server: KaiServer):
    server.on("GET /x", answer(503, {"error": "off"}, {"retry-after": "7"}))
    door = HttpDoor(server.url)
    found = await door.request("GET", "/x", also=(503,))
    assert (found.status, found.json(), found.retry_after) == (503, {"error": "off"}, 7.0)
    assert len(server.seen) == 1
    await door.aclose()

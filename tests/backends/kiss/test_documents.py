"""Documents: what was really stored, whatever the server says (§5)."""

from __future__ import annotations

import base64
import json

import pytest

from kai_tui.backends.base import CannotConnect, Refused
from kai_tui.backends.kiss.client import KissBackend
from kai_tui.backends.kiss.documents import LARGE, size_warning
from kai_tui.backends.multipart import LocalFile
from kai_tui.conversation.messages import SourcePart
from tests.backends.fault_server import closed_port
from tests.backends.kai_server import answer, hang_up
from tests.backends.kiss.test_chat import AT_ONCE, CAPTURES, asked, calls, folded, kiss
from tests.backends.kiss.test_chat import server as server  # the fixture
from tests.fakes.kiss import FakeKiss


def text_file(name: str = "notes.txt", text: str = "Sales grew.") -> LocalFile:
    return LocalFile(name, text.encode(), "text/plain")


async def test_a_document_is_stored_and_asked_about_at_once(server: FakeKiss):
    backend = kiss(server)
    told: list[tuple[int, int]] = []
    (stored,) = await backend.store(
        [text_file("/home/ada/docs/notes.txt")],
        {"category": "example", "year": 2026, "draft": False},
        on_progress=lambda *each: told.append(each),
    )
    assert (stored.stored, stored.chunks, stored.why_not) == (True, {"document_tool": ("0",)}, "")
    sent = server.seen[-1].body
    assert sent["files"] == [{"name": "notes.txt", "content": base64.b64encode(b"Sales grew.").decode()}]
    assert sent["metadata"] == {"category": "example", "year": 2026, "draft": False}
    assert (told[0][1], told[-1]) == (11, (11, 11))
    assert told == sorted(told)
    message = folded(await asked(backend, "Give me a summary of the documents"))
    (source,) = [part for part in message.parts if isinstance(part, SourcePart)]
    assert source.fields["title"] == "notes.txt"
    assert source.fields["excerpt"] == "Sales grew."
    assert source.fields["metadata"] == {"category": "example", "year": 2026, "draft": False}
    await backend.aclose()


async def test_pieces_of_one_file_are_one_source(server: FakeKiss):
    backend = kiss(server)
    await backend.store([text_file(text="One."), text_file("other.md", "Else."), text_file(text="Two.")])
    message = folded(await asked(backend, "the documents?"))
    found = [
        (part.fields["title"], part.fields["excerpt"], part.fields["number"]) for part in message.parts[1:]
    ]
    assert found == [("notes.txt", "One.\n\nTwo.", 1), ("other.md", "Else.", 2)]
    await backend.aclose()


async def test_stored_nothing_is_told(server: FakeKiss):
    backend = kiss(server)
    good, bad = await backend.store([text_file(), LocalFile("movie.mp4", b"x")])
    assert good.stored
    assert not bad.stored
    assert bad.why_not == f"{backend.host} accepted movie.mp4 but stored nothing of it."
    # Perhaps the stack was not started: that is tried, once.
    assert calls(server) == ["auth", "sessions?init", "documents", "documents", "sessions?init", "documents"]
    await backend.aclose()


async def test_a_lost_stack_hides_it_and_is_started_again(server: FakeKiss):
    backend = kiss(server)
    await backend.connect()
    server.restart()
    (stored,) = await backend.store([text_file()])
    assert stored.stored
    assert calls(server)[2:] == ["documents", "sessions?init", "documents"]
    assert len(server.only_client().documents) == 1
    await backend.aclose()


async def test_an_expired_token_is_renewed(server: FakeKiss):
    backend = kiss(server)
    await backend.connect()
    server.expire_tokens()
    (stored,) = await backend.store([text_file()])
    assert stored.stored
    assert calls(server)[2:] == ["documents", "auth", "documents"]
    await backend.aclose()


async def test_what_may_have_been_stored_is_not_sent_again(server: FakeKiss):
    backend = kiss(server)
    await backend.connect()
    server.on("POST /documents", hang_up)
    (lost,) = await backend.store([text_file()])
    assert lost.why_not.endswith("It may or may not have been stored.")
    server.on("POST /documents", answer(500, b"Internal Server Error", {"content-type": "text/plain"}))
    (broken,) = await backend.store([text_file()])
    assert broken.why_not.endswith("It may or may not have been stored.")
    assert calls(server)[2:] == ["documents", "documents"]
    await backend.aclose()


async def test_one_file_that_is_refused_does_not_cost_the_others(server: FakeKiss):
    backend = kiss(server)
    await backend.connect()
    yes = {"stack_id": "x", "result": "Files stored", "extras": {"document_tool": ["7"]}}
    server.on("POST /documents", answer(413), answer(200, yes))
    first, second = await backend.store([text_file("big.txt"), text_file()])
    assert (first.stored, second.stored) == (False, True)
    assert first.why_not.endswith("finds this too large.")
    await backend.aclose()


async def test_nothing_to_send_and_nobody_there(server: FakeKiss):
    backend = kiss(server)
    with pytest.raises(Refused):
        await backend.store([])
    assert server.seen == []
    await backend.aclose()
    away = KissBackend(f"http://127.0.0.1:{closed_port()}", timeouts=AT_ONCE)
    with pytest.raises(CannotConnect):
        await away.store([text_file()])
    await away.aclose()


@pytest.mark.parametrize(
    ("extras", "stored"),
    [
        ({"document_tool": ["0"]}, True),
        ({"a": [], "b": ["1", 2]}, True),
        ({"document_tool": []}, False),
        ({}, False),
        (None, False),
        ([], False),
        ({"document_tool": "0"}, False),
        ({"document_tool": [None]}, False),
    ],
)
async def test_what_counts_as_stored(server: FakeKiss, extras: object, stored: bool):
    server.on("POST /documents", answer(200, {"stack_id": "x", "result": "Files stored", "extras": extras}))
    backend = kiss(server)
    (found,) = await backend.store([text_file()])
    assert found.stored is stored
    await backend.aclose()


@pytest.mark.parametrize(("name", "stored"), [("05-store-xlsx", True), ("07-store-bad-base64", False)])
async def test_recorded_stores(server: FakeKiss, name: str, stored: bool):
    server.on("POST /documents", answer(200, (CAPTURES / f"{name}.body").read_bytes()))
    recorded = json.loads((CAPTURES / f"{name}.json").read_text())["request"]["body"]
    backend = kiss(server)
    content = base64.b64decode(recorded["files"][0]["content"]) if stored else b"!!!"
    (found,) = await backend.store([LocalFile(recorded["files"][0]["name"], content)], recorded["metadata"])
    assert found.stored is stored
    if stored:
        assert server.seen[-1].body == recorded
        assert found.chunks == {"document_tool": ("0",)}
    await backend.aclose()


def test_a_warning_before_much_is_sent():
    assert size_warning([text_file()]) is None
    warning = size_warning([text_file(), LocalFile("film.pdf", bytes(LARGE + 1))])
    assert warning is not None
    assert warning.startswith("film.pdf has 20 MB.")

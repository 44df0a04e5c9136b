"""Documents of a stack through the one door for documents (§5)."""

from __future__ import annotations

import pytest

from kai_tui.backends.base import Refused, Unsupported
from kai_tui.backends.kiss import shelf
from kai_tui.backends.multipart import LocalFile
from tests.backends.kiss.test_chat import calls, kiss
from tests.backends.kiss.test_chat import server as server  # the fixture
from tests.fakes.kiss import FakeKiss


async def test_what_was_stored_in_this_run_is_listed_and_what_was_not_is_told(server: FakeKiss):
    backend = kiss(server)
    documents = backend.documents
    told: list[tuple[int, int]] = []
    content = bytes(range(256)) * 1000
    good = await documents.store(LocalFile("a.txt", content), on_progress=lambda *each: told.append(each))
    bad = await documents.store(LocalFile("movie.mp4", b"x"))
    assert (good.state, good.size, good.note) == ("ready", len(content), "1 piece for document_tool")
    assert bad.state == "failed"
    assert bad.note == f"{backend.host} accepted movie.mp4 but stored nothing of it."
    assert list(await documents.list()) == [good]
    # In pieces: a large file must not hold up anything while it is made ready.
    assert len(told) > 4
    assert told[-1] == (len(content), len(content))
    assert await documents.settled(good) == good
    await backend.aclose()


async def test_another_client_sees_nothing_of_it(server: FakeKiss):
    backend = kiss(server)
    await backend.documents.store(LocalFile("a.txt", b"x"))
    await backend.start_over("temporary")
    assert await backend.documents.list() == []
    terms = backend.documents.terms()
    assert (terms.whose, terms.listed, terms.delete) == ("this temporary client", False, False)
    assert "when you leave" in terms.lasts
    await backend.aclose()


async def test_what_cannot_be_sent_is_refused_before_anything_is(
    server: FakeKiss, monkeypatch: pytest.MonkeyPatch
):
    backend = kiss(server)
    with pytest.raises(Refused, match=r"a\.txt is empty"):
        await backend.documents.store(LocalFile("a.txt", b""))
    monkeypatch.setattr(shelf, "LARGEST", 2 * 1024 * 1024)
    with pytest.raises(Refused, match=r"a\.txt is too large: more than 2 MB"):
        await backend.documents.store(LocalFile("a.txt", bytes(2 * 1024 * 1024 + 1)))
    stored = await backend.documents.list()
    for call in (
        backend.documents.add_website("https://example.com"),
        *(backend.documents.delete(each) for each in stored),
    ):
        with pytest.raises(Unsupported):
            await call
    assert calls(server) == []
    await backend.aclose()

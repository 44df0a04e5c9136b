"""What capabilities deny is refused before anything is sent; what they promise is there."""

from __future__ import annotations

import pytest

from kai_tui.backends.base import Attachment, Backend, NotFound, Unsupported
from tests.backends.test_stream_faults import assert_fit_for_a_person
from tests.contract.calls import ALWAYS, OPTIONAL, READS_NOTHING, TESTED_ALONE, WITHOUT_A_REQUEST, result_of
from tests.contract.stand import Stand, failure, said


def test_no_method_of_the_door_is_forgotten():
    public = {name for name in vars(Backend) if not name.startswith("_")}
    known = {*ALWAYS, *OPTIONAL, *WITHOUT_A_REQUEST, *READS_NOTHING, *TESTED_ALONE} - {"send with a file"}
    assert public == known


@pytest.mark.some(30)
@pytest.mark.parametrize("name", OPTIONAL)
async def test_what_it_cannot_do_is_refused_before_anything_is_sent(stand: Stand, name: str):
    promised, call = OPTIONAL[name]
    if promised(stand.row.caps):
        pytest.skip("it can do that: tested elsewhere")
    backend = stand.backend()
    if stand.row.mixed:
        await said(stand, backend, "Hello")
    before = len(stand.seen)
    error = await failure(call(stand, backend))
    assert isinstance(error, Unsupported), f"{name}: {error!r}"
    assert error.delivery == "not-sent"
    assert_fit_for_a_person(error.sentence)
    assert len(stand.seen) == before


async def test_a_file_goes_with_a_message_by_its_address(stand: Stand):
    if not stand.row.caps.attachments:
        pytest.skip("words only")
    backend = stand.backend()
    assert backend.attachments is not None
    picture = backend.attachments.at("https://files.example/a/picture.png")
    await said(stand, backend, "Look at this", attachments=(picture,))
    (post,) = stand.posts
    assert "https://files.example/a/picture.png" in str(post.body)
    assert stand.arrived == ["Look at this"]
    bad = Attachment("file:///etc/passwd", "passwd", "image/png")
    error = await failure(backend.send(stand.chat_id, stand.outgoing("And this", attachments=(bad,))))
    assert error.delivery == "not-sent"
    assert len(stand.posts) == 1


async def test_whether_the_server_is_done_with_a_chat_is_told_or_refused(stand: Stand):
    backend = stand.backend()
    if not stand.row.tells_when_done:
        if stand.row.mixed or not stand.row.stores_answers:
            pytest.skip("other chats of this account are told of; a plain agent's stays busy (imbrace.md §5)")
        assert isinstance(await failure(backend.until_done(stand.chat_id)), Unsupported)
        assert stand.seen == []
        return
    await said(stand, backend, "Hello")
    assert await backend.until_done(stand.chat_id)
    assert not (await backend.chat(stand.chat_id)).running


async def test_a_document_nobody_wrote_is_refused_or_not_found(stand: Stand):
    """Only iMBRACE's agents write documents (imbrace.md §11)."""
    error = await failure(stand.backend().written("00000000-0000-4000-8000-000000000000"))
    assert isinstance(error, Unsupported | NotFound)
    assert_fit_for_a_person(error.sentence)
    if isinstance(error, Unsupported):
        assert stand.seen == []


async def test_votes_there_are_none_of(stand: Stand):
    if stand.row.caps.votes:
        pytest.skip("tested elsewhere")
    backend = stand.backend()
    await said(stand, backend, "Hello")
    try:
        assert dict(await backend.votes(stand.chat_id)) == {}
    except Unsupported as error:
        assert_fit_for_a_person(error.sentence)


async def test_lists_that_are_promised_can_be_read(stand: Stand):
    backend = stand.backend()
    await backend.connect()
    await said(stand, backend, "Hello")
    before = len(stand.posts)
    for name in ("quota", "instructions", "permissions", "suggestions"):
        promised, call = OPTIONAL[name]
        if promised(stand.row.caps):
            found = await result_of(call(stand, backend))
            if name == "suggestions" and stand.service == "imbrace":
                assert all(each.prompt and each.label for each in found)
    assert isinstance(list(await backend.tools()), list)
    assert len(stand.posts) == before

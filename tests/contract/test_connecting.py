"""Who answers, who may ask, and what the capabilities promise: the same for every system."""

from __future__ import annotations

import pytest

from kai_tui.backends.base import Capabilities, TokenRefused, Unsupported
from kai_tui.backends.secret import Secret
from tests.backends.test_stream_faults import assert_fit_for_a_person
from tests.contract.stand import Stand, failure, folded, said
from tests.contract.stands import STANDS
from tests.contract.table import TABLE


def test_every_stand_has_its_row_and_every_row_its_stand():
    assert [each.name for each in STANDS] == list(TABLE)


async def test_it_can_do_what_the_table_says_and_nothing_else(stand: Stand):
    backend = stand.backend()
    for when in ("before", "after"):
        caps = backend.caps
        for name in Capabilities._fields:
            assert getattr(caps, name) == getattr(stand.row.caps, name), f"{name} {when} connecting"
        if when == "before":
            await backend.connect()


async def test_offers_with_doors_of_their_own_are_there_or_not(stand: Stand):
    backend = stand.backend()
    assert (backend.agents is not None) == (stand.row.agents != "none")
    assert (backend.documents is not None) == stand.row.documents
    # Of agents of one server some take files and some do not.
    assert (backend.attachments is not None) == stand.row.caps.attachments or stand.row.mixed


async def test_connecting_tells_who_answers(stand: Stand):
    backend = stand.backend()
    for info in (await backend.connect(), await backend.about()):
        assert info.host == backend.host
        assert info.host
        assert info.service == stand.service
        assert info.address.startswith("http")
        assert not any(secret in repr(info) for secret in stand.secrets())
    assert isinstance(await backend.alive(), str)
    assert stand.posts == []


async def test_a_wrong_credential_is_said_and_nothing_is_sent_with_it(stand: Stand):
    if stand.row.signs_in_again:
        pytest.skip("it gets itself another one")
    backend = stand.backend(credential="wr0ng-credential")
    told: list[TokenRefused] = []
    backend.on_refused = told.append
    if stand.row.told:
        error = await failure(backend.connect())
        assert isinstance(error, TokenRefused)
        assert told
    else:
        await backend.connect()
    error = await failure(backend.send(stand.chat_id, stand.outgoing("Hello")))
    assert isinstance(error, TokenRefused)
    assert error.delivery == "not-sent"
    assert_fit_for_a_person(error.sentence)
    assert "wr0ng" not in repr(error) + str(vars(error))
    assert told
    assert len(stand.posts) <= 1


async def test_a_credential_nobody_knows_any_more_is_replaced_where_that_is_possible(stand: Stand):
    if not stand.row.signs_in_again:
        pytest.skip("here the user is asked")
    backend = stand.backend(credential="wr0ng-credential")
    told: list[TokenRefused] = []
    backend.on_refused = told.append
    stand.speak(["Hello"])
    assert folded(await said(stand, backend, "Hi")).text == "Hello"
    assert told == []
    assert len(stand.posts) == 1


async def test_a_credential_that_expires_is_told_and_another_one_goes_on(stand: Stand):
    backend = stand.backend()
    told: list[TokenRefused] = []
    backend.on_refused = told.append
    await backend.connect()
    stand.speak(["Hello"])
    stand.fault(stand.refusal(), on=lambda seen: True)
    error = await failure(backend.send(stand.chat_id, stand.outgoing("Hi")))
    assert isinstance(error, TokenRefused)
    assert error.delivery == "not-sent"
    assert [each.sentence for each in told] == [error.sentence]
    stand.mend()
    if stand.row.renews:
        another = "an0ther-credential"
        stand.accept(another)
        backend.renew(Secret(another))
    else:
        with pytest.raises(Unsupported):
            backend.renew(Secret("another"))
    assert folded(await said(stand, backend, "Hi")).text == "Hello"
    if stand.row.renews:
        assert "an0ther-credential" in str(stand.posts[-1].headers)
        assert stand.secrets()[-1] not in str(stand.posts[-1].headers)

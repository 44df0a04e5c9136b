from __future__ import annotations

import copy
import logging
import pickle

import pytest

from kai_tui.backends.secret import Secret

CANARY = "canary-1234-AbCdEf"


def test_it_shows_nothing_anywhere(caplog: pytest.LogCaptureFixture):
    secret = Secret(CANARY)
    logging.getLogger("t").warning("%s %r %s", secret, secret, {"token": secret})
    shown = f"{secret} {secret!r} {[secret]} {secret!s:>20}"
    assert CANARY not in shown + caplog.text
    assert secret.reveal() == CANARY


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_cannot_be_pickled(protocol: int):
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY), protocol)


def test_it_compares_and_copies():
    secret = Secret(CANARY)
    assert secret == Secret(CANARY)
    assert secret != Secret("other")
    assert secret != CANARY
    assert len({secret, Secret(CANARY)}) == 1
    assert copy.deepcopy({"a": secret})["a"] is secret
    assert copy.copy(secret) is secret
    assert not Secret("")
    assert not hasattr(secret, "__dict__")

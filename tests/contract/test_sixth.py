"""CONTRIBUTING.md promises that a sixth assistant is one folder and one line, and that this suite then runs on it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends import systems
from kai_tui.backends.base import Capabilities
from tests.backends.guide import ScriptedGuide
from tests.contract import test_answers, test_capabilities, test_connecting, test_faults, test_leaving
from tests.contract.sixth.client import ParrotBackend
from tests.contract.sixth.fake import FakeParrot
from tests.contract.sixth.stand import Parrot
from tests.contract.table import TABLE, Row
from tests.services.accounts_kit import interviewed, keyring, service
from tests.services.scripted_backend import until

__all__ = ["keyring"]
ROW = Row(Capabilities(approval="none", history="local"), halves=False)


@pytest.fixture(autouse=True)
def one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line in `backends/systems.py`, and the row of the table."""
    monkeypatch.setitem(systems.SYSTEMS, "parrot", "tests.contract.sixth.system")
    monkeypatch.setitem(TABLE, "parrot", ROW)


@pytest.fixture
async def stand() -> AsyncIterator[Parrot]:
    made = Parrot()
    await made.open()
    yield made
    await made.aclose()


def behaviours() -> list[Callable[..., Any]]:
    """The tests of the suite that need nothing but a stand."""
    return [
        test
        for module in (test_answers, test_capabilities, test_connecting, test_faults, test_leaving)
        for name, test in vars(module).items()
        if name.startswith("test_") and list(inspect.signature(test).parameters) == ["stand"]
        if not any(mark.name == "slow" for mark in getattr(test, "pytestmark", ()))
    ]


@pytest.mark.parametrize("behaviour", behaviours(), ids=lambda test: test.__name__)
async def test_the_suite_runs_on_it(stand: Parrot, behaviour: Callable[..., Any]):
    await behaviour(stand)


@pytest.mark.parametrize("yes", [True, False])
async def test_an_account_of_it_is_made_opened_and_talked_to(
    own_home: Path, keyring: object, yes: bool
) -> None:
    """Nothing but the registry knows it, and yet the accounts do."""
    async with FakeParrot("please") as server:
        accounts = service(own_home)
        guide = ScriptedGuide({"address": server.url, "word": ["now!", "please"] if yes else "please"})
        account = await accounts.add("parrot", await interviewed(accounts, "parrot", guide))
        assert [name for name, _ in guide.refusals] == (["word"] if yes else [])
        (known,) = await service(own_home).accounts()
        assert known == account
        workspace = service(own_home).open(known)
        workspace.connect()
        await until(lambda: workspace.connection.state == "connected")
        assert isinstance(await workspace.backend(), ParrotBackend)
        session = workspace.chats.new_chat()
        session.send("Polly wants a cracker")
        await until(lambda: session.turn.phase == "finished")
        assert [message.text for message in session.messages] == ["Polly wants a cracker"] * 2
        await workspace.aclose()
    await asyncio.sleep(0)

"""What the tests of accounts share: a keyring of the test, an interview that is answered, and a search for needles."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.system import NewAccount
from kai_tui.services.account import Account
from kai_tui.services.account_service import AccountService
from kai_tui.storage import keyring_entries
from kai_tui.storage.credential_errors import CredentialsUnavailable
from tests.backends.guide import ScriptedGuide


class Keyring:
    """Stands for the system's keyring."""

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}
        self.fails = False

    def _checked(self) -> None:
        if self.fails:
            raise CredentialsUnavailable("Your keyring is locked. Unlock it and try again.", "locked")

    def read(self, account_id: str) -> str | None:
        self._checked()
        return self.entries.get(account_id)

    def write(self, account_id: str, token: str, wanted: Any) -> None:
        self._checked()
        self.entries[account_id] = token

    def remove(self, account_id: str) -> None:
        self._checked()
        self.entries.pop(account_id, None)


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    found = Keyring()
    for name in ("read", "write", "remove"):
        monkeypatch.setattr(keyring_entries, name, getattr(found, name))
    return found


def service(home: Path, **environ: str) -> AccountService:
    return AccountService({"KAI_TUI_HOME": str(home), **environ})


async def interviewed(
    accounts: AccountService, kind: str, guide: ScriptedGuide, account: Account | None = None
) -> NewAccount:
    """What the interview finds out; with `account` it is edited."""
    system = await accounts.system(kind)
    settings, secret = await accounts.interview_defaults(account) if account is not None else ({}, None)
    new = await system.interview(guide, settings, secret)
    assert system.identity(new.settings)[0], "an account is somewhere"
    return new


def files_with(home: Path, *needles: str) -> list[str]:
    """Names of files in which one of these is, read as bytes and as databases."""
    found: list[str] = []
    for file in home.rglob("*"):
        if not file.is_file():
            continue
        content = file.read_bytes()
        if content.startswith(b"SQLite"):
            with closing(sqlite3.connect(file)) as database:
                content += "\n".join(database.iterdump()).encode()
        if any(needle.encode() in content for needle in needles):
            found.append(file.name)
    return found

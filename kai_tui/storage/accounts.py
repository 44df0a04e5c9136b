"""The list of known accounts: one small JSON file in the data folder. No secrets (S6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from kai_tui.storage.errors import StorageError, reason
from kai_tui.storage.paths import Paths
from kai_tui.storage.private import exclusive, set_aside, sweep_strays, write_private
from kai_tui.storage.text import storable


class AccountRecord(NamedTuple):
    """One account as it is on disk."""

    id: str
    kind: str
    """`kai`, `sandbox` or that of another system; another program version may know more."""
    label: str = ""
    base_url: str = ""
    storage_url: str = ""
    service: str = "agent"
    project_id: str = ""
    user_id: str = ""
    token_from: str = ""
    """`keyring`, `file`, `environment` or empty."""
    branch_id: str = ""
    """Digits; empty for the main branch."""
    branch_name: str = ""
    workspace_id: str = ""
    settings: Mapping[str, str] = MappingProxyType({})
    """What another system needs to be opened. No secrets."""
    colour: str = ""
    """The user's mark for it."""
    named: bool = False
    """Whether the label is the user's own word for it."""
    last_used: int = 0
    """A counter, not a time: the highest was used last."""


_FIELDS = AccountRecord._fields
_KINDS: Mapping[str, type] = {"last_used": int, "named": bool}
"""Of the fields that are no texts."""


def accounts_file(paths: Paths) -> Path:
    """Where the list is."""
    return paths.data / "accounts.json"


def load_accounts(paths: Paths) -> tuple[list[AccountRecord], str | None]:
    """The known accounts, the last used first, and one sentence when the file was broken. Never raises."""
    file = accounts_file(paths)
    sweep_strays(paths.data)
    try:
        entries = _read(file)
    except OSError as error:
        return [], f"The list of accounts cannot be read ({file}: {reason(error)})."
    except ValueError:
        aside = file
        with suppress(OSError):
            aside = set_aside(file)
        return (
            [],
            f"The list of accounts was damaged and set aside as {aside}. Sign in again to fill a new one.",
        )
    records = [record for entry in entries if (record := _record(entry)) is not None]
    return sorted(records, key=lambda record: -record.last_used), None


def save_account(paths: Paths, record: AccountRecord, *, used: bool = True) -> AccountRecord:
    """Add or change an account and make it the last used one, unless it is not `used`. Raises StorageError.

    Name and colour the user gave it stay as they are on disk: see `mark_account`.
    """

    def change(entries: list[dict[str, Any]]) -> AccountRecord:
        highest = max((known.last_used for entry in entries if (known := _record(entry))), default=0)
        saved = record._replace(last_used=highest + 1)
        entry = _entry(entries, record.id)
        if entry is None:
            entries.append(_fields(saved))
            return saved
        known = _record(entry)
        if known is not None:
            label = known.label if known.named else saved.label
            saved = saved._replace(label=label, named=known.named, colour=known.colour)
            if not used:
                saved = saved._replace(last_used=known.last_used)
        fields = _fields(saved)
        # What a newer version wrote beside it stays.
        entry.update({**fields, "settings": {**_not_ours(entry.get("settings")), **fields["settings"]}})
        return saved

    saved: list[AccountRecord] = []
    _change(paths, lambda entries: saved.append(change(entries)))
    return saved[0]


def mark_account(
    paths: Paths, account_id: str, *, label: str | None = None, colour: str | None = None
) -> None:
    """Give an account the user's own name or colour; None leaves it. Its place in the list stays.

    Nothing happens when there is no such account. Raises StorageError.
    """

    def change(entries: list[dict[str, Any]]) -> None:
        entry = _entry(entries, account_id)
        if entry is None:
            return
        if label is not None:
            entry.update(label=storable(label), named=True)
        if colour is not None:
            entry["colour"] = storable(colour)

    _change(paths, change)


def set_token_place(paths: Paths, account_id: str, token_from: str) -> None:
    """Note where an account's credential is now. Raises StorageError."""

    def change(entries: list[dict[str, Any]]) -> None:
        entry = _entry(entries, account_id)
        if entry is not None:
            entry["token_from"] = token_from

    _change(paths, change)


def remove_account(paths: Paths, account_id: str) -> None:
    """Forget an account; its databases and its credential are removed elsewhere. Raises StorageError."""
    account_id = storable(account_id)

    def change(entries: list[dict[str, Any]]) -> None:
        entries[:] = [entry for entry in entries if entry.get("id") != account_id]

    _change(paths, change)


def _entry(entries: list[dict[str, Any]], account_id: str) -> dict[str, Any] | None:
    account_id = storable(account_id)
    return next((entry for entry in entries if entry.get("id") == account_id), None)


def _fields(record: AccountRecord) -> dict[str, Any]:
    """As it is written: texts that are text on every file system, also the settings."""
    fields = {
        name: storable(value) if isinstance(value, str) else value for name, value in record._asdict().items()
    }
    fields["settings"] = {storable(name): storable(value) for name, value in record.settings.items()}
    return fields


def _not_ours(settings: object) -> dict[str, Any]:
    """Settings that are no texts: a newer version's."""
    if not isinstance(settings, dict):
        return {}
    values = cast(dict[str, Any], settings)
    return {name: value for name, value in values.items() if not isinstance(value, str)}


def _change(paths: Paths, change: Callable[[list[dict[str, Any]]], None]) -> None:
    file = accounts_file(paths)
    with exclusive(file):
        try:
            try:
                entries = _read(file)
            except ValueError:
                set_aside(file)
                entries = []
            change(entries)
            text = json.dumps({"version": 1, "accounts": entries}, ensure_ascii=False, indent=2)
            write_private(file, storable(text).encode() + b"\n")
        except OSError as error:
            raise StorageError(
                f"The list of accounts could not be saved ({file}: {reason(error)}).", fault="unwritable"
            ) from error


def _read(file: Path) -> list[dict[str, Any]]:
    """The entries as they are on disk. Raises OSError, and ValueError for a broken file."""
    try:
        text = file.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        return []
    try:
        whole: object = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    entries = cast(Mapping[str, object], whole).get("accounts") if isinstance(whole, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no list of accounts")
    return [cast(dict[str, Any], entry) for entry in cast(list[object], entries) if isinstance(entry, dict)]


def _record(entry: Mapping[str, Any]) -> AccountRecord | None:
    """Tolerant: a field of the wrong type counts as missing; without id or kind it is no account.

    Nor is it one when its branch cannot be read: taken for one on the main branch it would write there.
    """
    branch = entry.get("branch_id", "")
    if not isinstance(branch, str) or (branch and not (branch.isascii() and branch.isdigit())):
        return None
    values: dict[str, Any] = {}
    for name in _FIELDS:
        value = entry.get(name)
        if name == "settings":
            texts = cast(dict[str, object], value) if isinstance(value, dict) else {}
            values[name] = {key: text for key, text in texts.items() if isinstance(text, str)}
        elif type(value) is _KINDS.get(name, str):
            values[name] = value
    return AccountRecord(**values) if values.get("id") and values.get("kind") else None

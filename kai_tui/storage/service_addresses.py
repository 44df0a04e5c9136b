"""Which address a stack's service had when it was first used: one small JSON file in the data folder (N8, S6)."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import cast

from kai_tui.storage.errors import StorageError, reason
from kai_tui.storage.paths import Paths
from kai_tui.storage.private import exclusive, write_private


def addresses_file(paths: Paths) -> Path:
    """Where they are."""
    return paths.data / "service-addresses.json"


def first_address(paths: Paths, stack: str, service: str) -> str:
    """The address that was kept; empty when none is. A broken file holds none. Never raises."""
    return _read(addresses_file(paths)).get(_key(stack, service), "")


def keep_address(paths: Paths, stack: str, service: str, address: str) -> None:
    """Keep an address, in place of an earlier one. Raises StorageError."""
    file = addresses_file(paths)
    with exclusive(file):
        _write(file, {**_read(file), _key(stack, service): address})


def forget_addresses(paths: Paths, stack: str, but: Collection[str]) -> None:
    """Forget the addresses of a stack's services, `but` these. Raises StorageError."""
    file = addresses_file(paths)
    if not file.exists():
        return
    with exclusive(file):
        before = _read(file)
        stays = {_key(stack, service) for service in but}
        end = _key(stack, "")
        kept = {key: value for key, value in before.items() if key in stays or not key.endswith(end)}
        if kept != before:
            _write(file, kept)


def _write(file: Path, addresses: dict[str, str]) -> None:
    text = json.dumps({"version": 1, "addresses": addresses}, indent=2)
    try:
        write_private(file, text.encode() + b"\n")
    except OSError as error:
        raise StorageError(
            f"A service's address could not be kept ({file}: {reason(error)}).", fault="unwritable"
        ) from error


def _key(stack: str, service: str) -> str:
    return f"{service} of {stack}"


def _read(file: Path) -> dict[str, str]:
    try:
        whole: object = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    entries = cast("dict[str, object]", whole).get("addresses") if isinstance(whole, dict) else None
    if not isinstance(entries, dict):
        return {}
    rows = cast("dict[str, object]", entries).items()
    return {key: value for key, value in rows if isinstance(value, str)}

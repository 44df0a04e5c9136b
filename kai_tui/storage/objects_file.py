"""The list of a project's objects beside the cache of its account: private, gone with the account, never missed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from kai_tui.storage.private import write_private

LARGEST = 16 * 1024 * 1024
"""Bytes that are read."""


def _file(cache: Path) -> Path:
    return cache.with_name(cache.name.removesuffix(".sqlite") + ".objects.json")


def read_beside(cache: Path) -> str | None:
    """The text beside this cache; None when there is none that can be read."""
    with suppress(OSError, UnicodeDecodeError), _file(cache).open("rb") as file:
        return file.read(LARGEST).decode("utf-8")
    return None


def write_beside(cache: Path, text: str) -> None:
    """Keep it. A disk that is full or read-only costs nothing but the list."""
    with suppress(OSError):
        write_private(_file(cache), text.encode("utf-8", "replace"))

"""Removing all that is kept of an account on this computer (P18)."""

from __future__ import annotations

from kai_tui.storage.errors import StorageError, reason
from kai_tui.storage.paths import Paths, remove_account_files


def remove_files(paths: Paths, account_id: str) -> None:
    """Every file made for this account: its databases, backups, copies set aside. Raises StorageError."""
    try:
        remove_account_files(paths, account_id)
    except OSError as error:
        where = error.filename or paths.data
        raise StorageError(
            f"Not all files of this account could be removed ({where}: {reason(error)}).", fault="unwritable"
        ) from error

"""Files and folders that only their owner may read (S2, S6, P17). On Windows modes are left alone:
the profile folder is already private there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from kai_tui.storage.errors import StorageError, reason

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
BROKEN_KEPT = 3
"""How many files set aside under the same name are kept (P19)."""

_POSIX = os.name == "posix"
_STRAY_SECONDS = 600
_LOCK_SECONDS = 2.0
_LOCK_STALE_SECONDS = 10.0


def make_private_directory(path: Path) -> None:
    """Make `path` and its missing parents 0700, under any umask; tighten `path` when it is looser.

    Raises OSError.
    """
    missing: list[Path] = []
    here = path
    while not here.exists() and here != here.parent:
        missing.append(here)
        here = here.parent
    for folder in reversed(missing):
        folder.mkdir(DIRECTORY_MODE, exist_ok=True)
        if _POSIX:
            folder.chmod(DIRECTORY_MODE)
    if not path.is_dir():
        raise NotADirectoryError(20, "Not a directory", str(path))
    if _POSIX and not missing and path.stat().st_mode & 0o077:
        # Not ours to change (another owner)? Then its files are still 0600.
        with suppress(PermissionError):
            path.chmod(DIRECTORY_MODE)


def make_private_file(path: Path) -> None:
    """Make `path` an empty 0600 file, or tighten an existing one. Never follows a link. Raises OSError."""
    flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, FILE_MODE)
    try:
        _tighten(descriptor)
    finally:
        os.close(descriptor)


def _tighten(descriptor: int) -> None:
    if _POSIX and os.fstat(descriptor).st_mode & 0o777 != FILE_MODE:
        os.fchmod(descriptor, FILE_MODE)


def write_private(path: Path, data: bytes) -> None:
    """Replace `path` with `data` at once: readers see the old file or the new one, also after a crash.

    Raises OSError; the old file is untouched then.
    """
    make_private_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(temporary, flags, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            _tighten(descriptor)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        _replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_directory(path.parent)


def create_private(path: Path, data: bytes) -> None:
    """Make a file that is not there yet, 0600; follows no link. Raises OSError, FileExistsError for one that is there."""
    flags = (
        os.O_CREAT
        | os.O_EXCL
        | os.O_WRONLY
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_BINARY", 0)
        | getattr(os, "O_CLOEXEC", 0)
    )
    descriptor = os.open(path, flags, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _tighten(descriptor)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def _replace(temporary: Path, path: Path) -> None:
    """Windows refuses while another process reads the old file: try again for a moment."""
    for _ in range(0 if _POSIX else 20):
        try:
            temporary.replace(path)
        except PermissionError:
            time.sleep(0.01)
        else:
            return
    temporary.replace(path)


def sync_directory(path: Path) -> None:
    """Make a rename inside `path` last over a power loss, where the system offers that."""
    if not _POSIX:
        return
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sweep_strays(directory: Path) -> None:
    """Remove temporary files that a killed process left (S6). Younger ones may still be written."""
    now = time.time()
    with suppress(OSError):
        for stray in directory.glob(".*.tmp"):
            with suppress(OSError):
                if abs(now - stray.stat().st_mtime) > _STRAY_SECONDS:
                    stray.unlink()


def dated_name(path: Path, word: str) -> Path:
    """A free name `NAME.WORD-DATE-TIME` (UTC, microseconds) beside `path`."""
    while True:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        candidate = path.with_name(f"{path.name}.{word}-{stamp}")
        if not candidate.exists():
            return candidate


def dated_files(path: Path, word: str) -> list[Path]:
    """Every `NAME.WORD-DATE` beside `path`, oldest first by that date."""
    prefix = f"{path.name}.{word}-"
    try:
        return sorted(file for file in path.parent.iterdir() if file.name.startswith(prefix))
    except OSError:
        return []


def keep_newest(newest: Path, path: Path, word: str, count: int) -> None:
    """Remove all but `count` files `NAME.WORD-DATE`. `newest` stays, also after the clock went back."""
    others = [file for file in dated_files(path, word) if file != newest]
    for old in others[: max(0, len(others) + 1 - count)]:
        with suppress(OSError):
            old.unlink()


def set_aside(path: Path) -> Path:
    """Move a broken file to `NAME.broken-DATE`; at most three are kept. Raises OSError."""
    target = dated_name(path, "broken")
    path.rename(target)
    keep_newest(target, path, "broken", BROKEN_KEPT)
    return target


@contextmanager
def exclusive(path: Path) -> Generator[None]:
    """Only one process at a time changes `path` (read, change, replace).

    Raises StorageError when another one holds it for two seconds, or the folder is not writable.
    """
    lock = path.with_name(f".{path.name}.lock")
    deadline = time.monotonic() + _LOCK_SECONDS
    try:
        make_private_directory(path.parent)
        while not _take(lock):
            if time.monotonic() > deadline:
                raise StorageError(
                    f"Another kai-tui is changing {path.name}. Nothing was saved.", fault="busy"
                )
            time.sleep(0.01)
    except OSError as error:
        raise StorageError(
            f"{path.name} could not be saved in {path.parent} ({reason(error)}).", fault="unwritable"
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()


def _take(lock: Path) -> bool:
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
    except FileExistsError:
        with suppress(OSError):
            if abs(time.time() - lock.stat().st_mtime) > _LOCK_STALE_SECONDS:
                lock.unlink()  # its owner was killed
        return False
    except PermissionError:
        if _POSIX:
            raise
        return False  # Windows, while the other one removes it
    return True

"""Files the user saves for himself: where he says, with the rights his umask gives, whole or not at all.

Everything here touches the disk, which may be slow or far away: call it in a thread. Raises StorageError only, with
sentences for the user; nothing was changed then.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from kai_tui.storage.errors import StorageError, reason
from kai_tui.storage.private import sync_directory

_OTHER: Final = re.compile(r"[^\w.-]+")
_DEVICES: Final = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Taken:
    """What stands at the path already."""

    size: int
    """Bytes."""
    changed: datetime
    """In the user's time zone."""


class AlreadyThere(StorageError):
    """There is a file already and nobody said that it may be replaced."""

    def __init__(self, path: Path, taken: Taken) -> None:
        super().__init__(f"There is a file at {path} already. Nothing was written.")
        self.path = path
        self.taken = taken


def plain_name(name: str, fallback: str = "saved") -> str:
    """A file name made of foreign text: letters, digits, dots, dashes and `_`, on every system, never hidden (T17)."""
    readable = _OTHER.sub("-", name).strip("-._")[:_LONGEST_NAME].rstrip("-._")
    return fallback if not readable or _DEVICES.fullmatch(readable) else readable


def suggested_path(name: str, ending: str) -> Path:
    """A free path in the user's folder of downloads, in the current folder where he has none."""
    folder = _downloads() or Path.cwd()
    stem = plain_name(name)
    candidate, number = folder / f"{stem}{ending}", 1
    while os.path.lexists(candidate):
        number += 1
        candidate = folder / f"{stem}-{number}{ending}"
    return candidate


def _downloads() -> Path | None:
    import platformdirs

    try:
        folder = Path(platformdirs.user_downloads_dir())
        return folder if folder.is_dir() and os.access(folder, os.W_OK) else None
    except (OSError, RuntimeError):
        return None


def shown_path(path: Path) -> str:
    """A path as one types it: the home folder is `~`."""
    with suppress(RuntimeError, ValueError):
        return str(Path("~") / path.relative_to(Path.home()))
    return str(path)


def typed_path(typed: str) -> Path:
    """The file a typed path means: `~` is the home folder, a relative one starts in the current folder."""
    typed = typed.strip()
    if not typed:
        raise StorageError("Type the path of a file.")
    if "\0" in typed or "\n" in typed:
        raise StorageError("A path has no line ends.")
    try:
        path = Path(typed).expanduser()
    except RuntimeError as error:
        raise StorageError("There is no such user's folder.") from error
    if not path.is_absolute():
        path = Path.cwd() / path
    if typed.endswith(("/", os.sep)) or path.is_dir():
        raise StorageError(f"{path} is a folder: go on with a name for the file.")
    return path


def save(path: Path, parts: Iterable[str], *, replace: bool = False) -> int:
    """Write a text piece by piece; how many bytes it has. Readers never see half of it.

    Raises AlreadyThere for a file that is there unless it may be replaced; a link to a file stays one.
    """
    try:
        real = path.resolve() if replace else path
        before = _existing(real)
        if before is not None and not replace:
            raise AlreadyThere(path, before)
        return _write(real, parts, replace=before is not None)
    except FileNotFoundError as error:
        raise StorageError(f"There is no folder {path.parent}. Nothing was written.") from error
    except FileExistsError as error:
        raise StorageError(f"A file came to {path} in the meantime. Nothing was written.") from error
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StorageError(
            f"{path} could not be written ({why}). Nothing was changed.",
            fault="full" if full else "unwritable",
        ) from error


def _existing(path: Path) -> Taken | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        with suppress(FileNotFoundError):
            found = path.stat()
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISLNK(found.st_mode):
        raise StorageError(f"{path} is no ordinary file. Nothing was written.")
    return Taken(found.st_size, datetime.fromtimestamp(found.st_mtime).astimezone())


def _write(path: Path, parts: Iterable[str], *, replace: bool) -> int:
    if replace and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "it is write-protected")
    temporary = path.with_name(f".{path.name[:80]}.{os.urandom(6).hex()}.tmp")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    # Nothing is taken away from the mode here: the umask does that.
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            size = _fill(file, parts)
            file.flush()
            if replace and os.name == "posix":
                os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            _put_new(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_directory(path.parent)
    return size


def _fill(file: IO[bytes], parts: Iterable[str]) -> int:
    size = 0
    for part in parts:
        size += file.write(_SURROGATE.sub("\ufffd", part).encode())
    return size


def _put_new(temporary: Path, path: Path) -> None:
    """Give the file its name, unless something has that name by now."""
    if os.name != "posix":
        temporary.rename(path)  # refuses an existing file there
        return
    try:
        os.link(temporary, path, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links: the name is taken first, so that nothing is written over.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        temporary.replace(path)
    else:
        temporary.unlink()

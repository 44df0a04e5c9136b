"""Files of the user: what a typed or dropped path means, how its name goes on, what is in the file.

All of it touches the disk, which may be slow or far away: call it in a thread. Raises Refused only, with
sentences for the user; nothing has been sent then.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from kai_tui.backends.base import Refused

if TYPE_CHECKING:
    from kai_tui.backends.multipart import LocalFile

MOST_AT_ONCE: Final = 500
"""Files that can be chosen in one go."""
MOST_CANDIDATES: Final = 2000
"""Entries of a folder that are looked at for a completion."""

_MEDIA_TYPES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".pdf": "application/pdf",
    ".csv": "text/csv",
}
_WEB: Final = re.compile(r"https?://[^\s/?#\\@]+([/?#]\S*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the user, not read yet."""

    path: str
    """Absolute."""
    name: str
    size: int
    """Bytes."""
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Completion:
    """How a typed path can go on."""

    text: str
    """What was typed with all that is certain added."""
    names: tuple[str, ...] = ()
    """What it may become, when that is not certain; folders end with a slash. Raw."""


def look(typed: str) -> list[FoundFile | Refused]:
    """What a line names: one path, or several as a terminal writes them when files are dropped on it.

    Quotes, backslashes before spaces, `~`, relative paths and file: addresses are understood.
    """
    return [_look_at(path) for path in _paths(typed)[:MOST_AT_ONCE]]


def look_at(path: str) -> FoundFile:
    """One file by its path. Raises Refused for what is no file that could be sent."""
    found = _look_at(path)
    if isinstance(found, Refused):
        raise found
    return found


def read(file: FoundFile, *, largest: int | None = None) -> LocalFile:
    """The content, as it is now; not more than `largest` bytes. Raises Refused."""
    from kai_tui.backends.multipart import LocalFile

    try:
        with Path(file.path).open("rb") as opened:
            content = opened.read(largest + 1 if largest is not None else -1)
    except FileNotFoundError:
        raise Refused(f"{file.name} is not there any more: {file.path}", code="file") from None
    except MemoryError:
        raise Refused(f"{file.name} is too large for the memory of this computer.", code="file") from None
    except (OSError, ValueError) as error:
        raise Refused(f"{file.name} cannot be read: {_why(error)}.", code="file") from None
    if largest is not None and len(content) > largest:
        raise Refused(too_large(file.name, largest), code="file-size")
    if not content:
        raise Refused(f"{file.name} is empty.", code="file-size")
    return LocalFile(file.name, content, file.media_type)


def complete(typed: str) -> Completion:
    """The path at the end of what was typed, completed as far as it is certain. Never raises."""
    # A quote is kept open, so that what follows it belongs to the name.
    quote = typed[:1] if typed[:1] in ('"', "'") else ""
    shown = typed[len(quote) :]
    _, _, begun = shown.rpartition("/")
    if os.sep != "/" and os.sep in begun:
        _, _, begun = shown.rpartition(os.sep)
    kept = shown[: len(shown) - len(begun)]
    plain = quote == "" and "\\ " in kept + begun
    where = kept.replace("\\ ", " ") if plain else kept
    wanted = begun.replace("\\ ", " ") if plain else begun
    names: list[str] = []
    try:
        with os.scandir(_home_in(where) or ".") as entries:
            for number, entry in enumerate(entries):
                if number >= MOST_CANDIDATES:
                    break
                if not entry.name.startswith(wanted) or (entry.name.startswith(".") and not wanted):
                    continue
                names.append(f"{entry.name}/" if _is_folder(entry) else entry.name)
    except (OSError, ValueError):
        return Completion(typed)
    if not names:
        return Completion(typed)
    names.sort(key=str.lower)
    certain = _common(names)
    if plain:
        certain = certain.replace(" ", "\\ ")
    text = f"{quote}{kept}{certain}" if len(certain) >= len(begun) else typed
    return Completion(text, tuple(names) if len(names) > 1 else ())


def is_web_address(typed: str) -> bool:
    """Whether this is an http(s) address with a host."""
    return _WEB.fullmatch(typed.strip()) is not None


def too_large(name: str, largest: int) -> str:
    """The sentence for a file beyond a limit."""
    return f"{name} is too large: at most {shown_size(largest)} can be sent."


def shown_size(size: int) -> str:
    """Bytes for people: `412 B`, `3.1 MB`."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1024
        if value < 999.5 or unit == "GB":
            shown = f"{value:.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")
            return f"{shown} {unit}"
    raise AssertionError("unreachable")


def _paths(typed: str) -> Sequence[str]:
    text = typed.strip()
    if not text:
        return ()
    if _exists(text):
        return (_plain(text),)
    unquoted = text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else ""
    if unquoted and _exists(unquoted):
        return (_plain(unquoted),)
    try:
        words = shlex.split(text, posix=os.name == "posix")
    except ValueError:
        return (_plain(text.strip("\"'")),)
    words = [word.strip("\"'") for word in words] if os.name != "posix" else words
    if len(words) > 1 and not all(_looks_like_path(word) for word in words):
        return (_plain(text),)  # one name with spaces, which is not there
    return [_plain(word) for word in words if word]


def _looks_like_path(word: str) -> bool:
    return "/" in word or os.sep in word or word.startswith("file:") or _exists(word)


def _plain(word: str) -> str:
    """A path without `~` and without the form of an address."""
    if word.startswith("file:"):
        try:
            parts = urlsplit(word)
        except ValueError:
            return word
        path = unquote(parts.path)
        return path.lstrip("/") if os.name == "nt" else path
    return _home_in(word)


def _home_in(word: str) -> str:
    """`~` written out; a path keeps the slash at its end."""
    if not word.startswith("~"):
        return word
    try:
        expanded = str(Path(word).expanduser())
    except RuntimeError:
        return word  # nobody knows where home is
    return f"{expanded}/" if word.endswith("/") and not expanded.endswith("/") else expanded


def _common(names: Sequence[str]) -> str:
    """How all of these begin."""
    first, last = min(names), max(names)
    same = next((at for at, letter in enumerate(first) if at >= len(last) or last[at] != letter), len(first))
    return first[:same]


def _exists(word: str) -> bool:
    try:
        return Path(_plain(word)).exists()
    except (OSError, ValueError):
        return False


def _look_at(path: str) -> FoundFile | Refused:
    name = Path(path).name or path
    try:
        facts = Path(path).stat()
        if stat.S_ISDIR(facts.st_mode):
            return Refused(f"{name} is a folder. Choose the files in it.", code="file")
        if not stat.S_ISREG(facts.st_mode):
            return Refused(f"{name} is no ordinary file.", code="file")
        if not facts.st_size:
            return Refused(f"{name} is empty.", code="file-size")
        if not os.access(path, os.R_OK):
            return Refused(f"{name} cannot be read: you may not open it.", code="file")
        return FoundFile(str(Path(path).absolute()), name, facts.st_size, _media_type(name))
    except FileNotFoundError:
        return Refused(f"There is no file {path}.", code="file")
    except (OSError, ValueError) as error:
        return Refused(f"{name} cannot be read: {_why(error)}.", code="file")


def _media_type(name: str) -> str:
    from mimetypes import guess_type

    # What systems say of these differs: Windows may call a .csv a sheet of Excel.
    known = _MEDIA_TYPES.get(Path(name).suffix.lower())
    return known or guess_type(name)[0] or "application/octet-stream"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _why(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "you may not open it"
    return (getattr(error, "strerror", None) or str(error) or "the system gives no reason").lower()

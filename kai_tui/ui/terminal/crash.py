"""What is left of a crash: a report without secrets and without what was in variables (C7, T15).

Textual's own crash screen prints local variables, the token among them.
"""

from __future__ import annotations

import os
import platform
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Final

from kai_tui.conversation.prose_text import Safe, safe_line, safe_prose
from kai_tui.conversation.redact import redact
from kai_tui.storage.private import make_private_directory

KEPT_REPORTS: Final = 10
"""Older reports are removed when a new one is written."""
_LONGEST_MESSAGE: Final = 500
_LONGEST_REPORT: Final = 200_000
_PREFIX: Final = "crash-"


def report_text(error: BaseException, secrets: Iterable[str] = (), *, version: str = "") -> str:
    """The report: what ran, and the traceback with its causes. No variables, no token, no control codes.

    Messages of errors are cut to 500 characters: some carry the text of the chat. Those of pydantic
    print the input and are left out.
    """
    lines = [
        f"kai-tui {version or _version('kai-tui')}",
        f"Python {platform.python_version()} on {platform.system()} {platform.release()} {platform.machine()}",
        f"textual {_version('textual')}, terminal {os.environ.get('TERM', '?')}",
        time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "",
    ]
    lines.append(traceback_text(error))
    text = redact("\n".join(lines), secrets)
    return safe_prose(text[:_LONGEST_REPORT])


def traceback_text(error: BaseException) -> str:
    """A traceback with its causes and without variables, its messages cut. Not yet redacted."""
    told = traceback.TracebackException.from_exception(error, limit=-60, compact=True, capture_locals=False)
    _shorten(told)
    return "".join(told.format())


def write_report(folder: Path, text: str) -> Path:
    """Write a report nobody else can read (0600 in a 0700 folder) and remove the oldest ones.

    Raises:
        OSError: when the folder can not be made or written.
    """
    make_private_directory(folder)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    for number in range(100):
        path = folder / f"{_PREFIX}{stamp}-{os.getpid()}{f'-{number}' if number else ''}.txt"
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        _sweep(folder)
        return path
    raise FileExistsError(str(folder))


def sentence(error: BaseException, report: Path | None, why_none: str = "") -> Safe:
    """What the user is told once the terminal is theirs again."""
    kind = safe_line(type(error).__name__, 80)
    where = f"Report: {safe_line(str(report))}" if report else f"No report could be written ({why_none})."
    return Safe(
        f"kai-tui stopped because of an error of its own ({kind}). Your chats and drafts are kept. {where}"
    )


def report_crash(error: BaseException, folder: Callable[[], Path], secrets: Iterable[str] = ()) -> Safe:
    """Write the report and give the sentence for the user. Never raises."""
    try:
        return sentence(error, write_report(folder(), report_text(error, secrets)))
    except Exception as trouble:  # noqa: BLE001 - a crash in the crash handler would hide the first one
        reason = redact(safe_line(getattr(trouble, "strerror", None) or type(trouble).__name__, 80))
        return sentence(error, None, reason)


def _shorten(told: traceback.TracebackException) -> None:
    """Cut the messages of an error and of its causes. `TracebackException` has broken loops already."""
    # From Python 3.13 on the name is kept instead of the type.
    name = getattr(told, "exc_type_str", None) or str(getattr(told.exc_type, "__module__", ""))
    if name.startswith("pydantic"):
        _set_message(told, "(the message is left out: it would show the input)")
    else:
        message = str(getattr(told, "_str", ""))
        if len(message) > _LONGEST_MESSAGE:
            _set_message(told, message[:_LONGEST_MESSAGE] + "…")
    for other in (told.__cause__, told.__context__, *(told.exceptions or ())):
        if other is not None:
            _shorten(other)


def _set_message(told: traceback.TracebackException, message: str) -> None:
    # The one place where the standard library keeps the message; there is no public way to change it.
    setattr(told, "_str", message)  # noqa: B010


def _sweep(folder: Path) -> None:
    with suppress(OSError):
        reports = sorted(folder.glob(f"{_PREFIX}*.txt"), key=lambda path: path.stat().st_mtime)
        for path in reports[:-KEPT_REPORTS]:
            with suppress(OSError):
                path.unlink()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "?"

"""Logging without secrets: every record is redacted where it is made, before any handler sees it (C7).

A filter on the root logger would see only what is logged on the root logger itself.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_QUIET = ("httpx", "httpcore", "httpx_sse", "markdown_it", "asyncio", "keyring")
"""Libraries that write addresses or headers into their lines at INFO or DEBUG."""

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up_logging(secrets: Callable[[], Iterable[str]] = tuple, file: Path | None = None) -> None:
    """Redact all logging; write it to `file` (0600) when one is given, nowhere else.

    `secrets` is asked at every record for the tokens in use. Nothing is printed: the screen is ours.

    Raises:
        OSError: when the file can not be made.
    """
    _redact_records(secrets)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    root = logging.getLogger()
    if file is None:
        root.addHandler(logging.NullHandler())
        return
    handler = logging.StreamHandler(_opened(file))
    handler.setFormatter(logging.Formatter(_FORMAT))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)


def _opened(file: Path) -> Any:
    from kai_tui.storage.private import make_private_directory

    make_private_directory(file.parent)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(file, flags, 0o600)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "a", encoding="utf-8", errors="replace")


def _redact_records(secrets: Callable[[], Iterable[str]]) -> None:
    make = logging.getLogRecordFactory()
    if isinstance(make, _RedactedRecords):
        make = make.make
    logging.setLogRecordFactory(_RedactedRecords(make, secrets))


class _RedactedRecords:
    """Makes log records whose texts hold no secret and no control characters."""

    def __init__(self, make: Callable[..., logging.LogRecord], secrets: Callable[[], Iterable[str]]) -> None:
        self.make = make
        self._secrets = secrets

    def __call__(self, *args: Any, **options: Any) -> logging.LogRecord:
        from kai_tui.conversation.safe_text import redact, safe_code

        record = self.make(*args, **options)
        secrets = list(self._secrets())
        try:
            message = record.getMessage()
        except Exception as error:  # noqa: BLE001 - a wrong format string must not end the program
            message = f"{record.msg} ({type(error).__name__} in the arguments of this line)"
        record.msg = safe_code(redact(message, secrets))
        record.args = None
        if record.exc_info and isinstance(record.exc_info[1], BaseException):
            from kai_tui.ui.terminal.crash import traceback_text

            record.exc_text = safe_code(redact(traceback_text(record.exc_info[1]), secrets)).rstrip("\n")
            record.exc_info = None
        if record.stack_info:
            record.stack_info = safe_code(redact(record.stack_info, secrets))
        return record

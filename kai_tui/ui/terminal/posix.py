"""Signals that end a program (X1). The only module that may know POSIX-only names; harmless elsewhere.

Stock Textual leaves the alternate screen, the mouse and raw mode on when it is terminated.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import Any, Protocol

_NAMES = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT")

_RESTORE = b"\x1b[<u\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1004l\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[?7h"
_flags_before: list[Any] = []


class Exits(Protocol):
    """What is told to end."""

    def exit(self, result: Any = None, return_code: int = 0) -> None:
        """End with this exit code."""
        ...


def install_signal_handlers(app: Exits) -> None:
    """Make TERM, HUP, INT and QUIT end the app with 128 + number, the terminal given back.

    Call it inside the running loop. A second signal ends the program at once. Does nothing where
    there are no such signals (Windows) or outside the main thread (tests).
    """
    loop = asyncio.get_running_loop()
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None:
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, _end, app, loop, int(number))


def remove_signal_handlers() -> None:
    """Give the signals back. Call it inside the loop they were taken in."""
    loop = asyncio.get_running_loop()
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None:
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.remove_signal_handler(number)


def _end(app: Exits, loop: asyncio.AbstractEventLoop, number: int) -> None:
    for name in _NAMES:
        other = getattr(signal, name, None)
        if other is not None:
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.remove_signal_handler(other)
                signal.signal(other, _end_at_once)
    app.exit(return_code=128 + number)


def _end_at_once(number: int, _frame: object) -> None:
    """The second signal: the loop hangs. Give back what can be given back and go."""
    with suppress(Exception):
        import termios

        for flags in _flags_before:
            termios.tcsetattr(0, termios.TCSANOW, flags)
    with suppress(OSError):
        if os.isatty(2):
            os.write(2, _RESTORE)
    os._exit(128 + number)


def remember_terminal() -> None:
    """Keep the terminal's flags as they are now, before the app changes them."""
    with suppress(Exception):
        import termios

        _flags_before[:] = [termios.tcgetattr(0)]


def forget_output() -> None:
    """Point stdout and stderr at nothing: the terminal is gone, and flushing at exit would fail."""
    with suppress(OSError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        for number in (1, 2):
            if os.isatty(number) or not _writable(number):
                os.dup2(nothing, number)
        os.close(nothing)


def _writable(number: int) -> bool:
    try:
        os.write(number, b"")
    except OSError:
        return False
    return True

"""Signals that end a program (X1), and the terminal's flags. The only module that may know POSIX-only names; harmless elsewhere.

Stock Textual leaves the alternate screen, the mouse and raw mode on when it is terminated.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol

SIGNALS: Final = tuple(
    number
    for name in ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT")
    if (number := getattr(signal, name, None)) is not None
)
GRACE_SECONDS: Final = 10.0
"""How long the program may take to end after a signal, before it is ended."""

_RESTORE: Final = (
    b"\x1b[<u\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l\x1b[?2004l"
    b"\x1b[?2048l\x1b[?1049l\x1b[0m\x1b[?25h\x1b[?7h"
)
_flags_before: list[Any] = []
_handlers_before: dict[int, Any] = {}
_deadlines: list[threading.Timer] = []


class Exits(Protocol):
    """What is told to end."""

    def exit(self, result: Any = None, return_code: int = 0) -> None:
        """End with this exit code."""
        ...


def install_signal_handlers(app: Exits) -> None:
    """Make TERM, HUP, INT and QUIT end the app with 128 + number, the terminal given back.

    Call it inside the running loop. A second signal, or ten seconds, end a program whose loop hangs.
    Does nothing where there are no such signals or outside the main thread (tests).
    """
    loop = asyncio.get_running_loop()

    def end(number: int, _frame: object) -> None:
        for each in SIGNALS:
            signal.signal(each, _end_at_once)
        deadline = threading.Timer(GRACE_SECONDS, _end_at_once, (number, None))
        deadline.daemon = True
        deadline.start()
        _deadlines.append(deadline)
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: app.exit(return_code=128 + number))

    with suppress(ValueError, OSError):
        for each in SIGNALS:
            _handlers_before.setdefault(each, signal.signal(each, end))


def remove_signal_handlers() -> None:
    """The app has ended: put back the handlers that were there before."""
    while _deadlines:
        _deadlines.pop().cancel()
    with suppress(ValueError, OSError):
        for number, handler in _handlers_before.items():
            signal.signal(number, handler)
        _handlers_before.clear()


def _end_at_once(number: int, _frame: object) -> None:
    """The loop hangs: give back what can be given back without it, and go."""
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


def take_keys(terminal: int, local: Callable[[int], int], incoming: Callable[[int], int]) -> list[Any] | None:
    """Have keys come as they are pressed before anything is drawn; the flags to give back, None for none.

    Textual does so after it switched the screen: an Enter pressed in between arrives as a line feed,
    which is another key. `local`, `incoming`: what it makes of those flags.
    """
    import termios
    import tty

    try:
        if os.tcgetpgrp(terminal) != os.getpgrp():
            return None  # in the background the terminal is not ours
        before = termios.tcgetattr(terminal)
        flags = termios.tcgetattr(terminal)
        flags[tty.LFLAG] = local(flags[tty.LFLAG])
        flags[tty.IFLAG] = incoming(flags[tty.IFLAG])
        flags[tty.CC][termios.VMIN] = 1
        termios.tcsetattr(terminal, termios.TCSANOW, flags)
    except (OSError, termios.error):
        return None
    return before


def forget_output() -> None:
    """Point stdout and stderr at nothing: the terminal is gone, and flushing at exit would fail."""
    with suppress(OSError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        os.close(nothing)

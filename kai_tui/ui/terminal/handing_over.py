"""The terminal handed to another program for a while, ours going on behind it (replies stream, nothing is drawn)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from textual.app import App, SuspendNotSupported


class CannotHandOver(Exception):
    """This terminal cannot be given to another program and taken back."""


async def run_in_terminal(app: App[Any], command: Sequence[str]) -> int:
    """Run a program in the terminal until it ends; its exit code, negative when a signal ended it.

    Raises CannotHandOver, and OSError when the program cannot be started. The terminal is ours again in any case.
    """
    problem: OSError | None = None
    code = 0
    try:
        # Nothing may be raised inside: Textual would not take the terminal back.
        with app.suspend(), _keys_of_others():
            try:
                code = await _run(command)
            except OSError as error:
                problem = error
    except SuspendNotSupported:
        raise CannotHandOver from None
    if problem is not None:
        raise problem
    return code


async def _run(command: Sequence[str]) -> int:
    process = await asyncio.create_subprocess_exec(*command)
    try:
        return await process.wait()
    except asyncio.CancelledError:
        # The program ends: without it the editor would have nobody to give its text to.
        with suppress(ProcessLookupError):
            process.terminate()
        raise


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """For keys that were meant for the other program."""


@contextmanager
def _keys_of_others() -> Generator[None]:
    """Ctrl+C and Ctrl+\\ in the other program reach us, too, and are not meant for us.

    A handler and not `SIG_IGN`: that would be handed down to the program.
    """
    numbers = [each for name in ("SIGINT", "SIGQUIT") if (each := getattr(signal, name, None)) is not None]
    before = {each: signal.signal(each, _nothing) for each in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

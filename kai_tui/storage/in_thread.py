"""Calls that may hang for ever (a silent Secret Service, C2), with a limit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class TookTooLong(Exception):
    """The call was given up; its thread is left behind and does not keep the process alive."""


async def in_thread(work: Callable[..., T], *arguments: Any, seconds: float) -> T:
    """Run `work(*arguments)` in a daemon thread of its own for at most `seconds`.

    Not `asyncio.to_thread`: its pool would be joined at exit, hanging threads included.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # pyright: ignore[reportArgumentType] - T when there is no error

    def run() -> None:
        result: T | None = None
        failure: Exception | None = None
        try:
            result = work(*arguments)
        except Exception as error:  # noqa: BLE001 - handed to the caller
            failure = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="keyring", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            return await future
    except TimeoutError:
        raise TookTooLong from None

"""What a driver may say to its app, whatever the platform."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import asyncio

    from textual.app import App


class Host(Protocol):
    """The part of `SafeApp` that the drivers know."""

    def terminal_gone(self) -> None:
        """The window was closed: nothing can be read or written any more."""
        ...

    def terminal_taken(self) -> None:
        """The driver begins to use the terminal (again): what it shows is not known."""
        ...

    def thread_failed(self, error: BaseException) -> None:
        """A thread of the program died of an error of its own."""
        ...


def host_of(app: App[Any]) -> Host:
    """The app a driver belongs to. Only `SafeApp` asks for our drivers."""
    return cast(Host, app)


def tell(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: object) -> None:
    """Call something in the app's loop from any thread; nothing happens when the loop is over."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *args)

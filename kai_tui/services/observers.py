"""A list of callbacks that are told what changed; no Textual, no threads."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


class Observers(Generic[T]):
    """Callbacks in the order they were added. All run on the event loop's thread."""

    __slots__ = ("_callbacks",)

    def __init__(self) -> None:
        self._callbacks: list[Callable[[T], None]] = []

    def add(self, callback: Callable[[T], None]) -> Callable[[], None]:
        """Hear of changes; call the result to hear no more."""
        self._callbacks.append(callback)

        def remove() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return remove

    def tell(self, change: T) -> None:
        """Tell everybody, also those whose neighbour left while being told. Never raises.

        A screen that fails to draw something must not break off the turn that told it.
        """
        for callback in tuple(self._callbacks):
            try:
                callback(change)
            except Exception:  # noqa: BLE001 - theirs, not the teller's; in the log it can be found
                _LOG.exception("an observer failed")

"""When Python's garbage collector may stop the screen: seldom, briefly, never over what stays anyway.

With the default thresholds a long answer meets 4,000 collections of up to 130 ms each. `cli/main.py`
switches the collector off while the program loads.
"""

from __future__ import annotations

import gc
from contextlib import suppress
from threading import Thread

_THRESHOLDS = (5_000, 100, 200)
"""Small collections of 2 to 4 ms; with 20,000 a key waited 10 to 15 ms for one, with 50,000 up to 35."""


def start_collector() -> None:
    """Let the collector run from now on. What was loaded so far lives until the end: it is never looked at.

    Without a collection first: that would stop the screen for 50 ms to find next to nothing.
    """
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.enable()


def after_loading() -> None:
    """A whole conversation came into memory and stays: keep later collections from going through it."""
    gc.collect()
    gc.freeze()
    Thread(target=_give_back, name="give back memory", daemon=True).start()


def _give_back() -> None:
    """Let the system have the memory in which a long chat was read: glibc keeps it otherwise, for 10 to 20 MB."""
    import ctypes

    with suppress(OSError, AttributeError, TypeError):  # another system, another library
        ctypes.CDLL(None).malloc_trim(0)

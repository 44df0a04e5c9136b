"""Every system this program speaks to beside Keboola's own: a line each (CONTRIBUTING.md tells how to add one)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from kai_tui.backends.system import System

SYSTEMS: Final = {
    "imbrace": "kai_tui.backends.imbrace.system",
    "assistant-ui": "kai_tui.backends.assistant_ui.system",
    "knowrithm": "kai_tui.backends.knowrithm.system",
    "kiss": "kai_tui.backends.kiss.system",
}
"""The module of each kind; it has one `SYSTEM`."""


def system_of(kind: str) -> System:
    """The system of an account's kind. Raises KeyError for one this version does not know."""
    return cast("System", importlib.import_module(SYSTEMS[kind]).SYSTEM)

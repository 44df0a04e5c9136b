"""Characters that every terminal draws one cell wide and that join with nothing."""

from __future__ import annotations

import re

_NARROW = re.compile(
    "["
    "\u0020-\u007e\u00a1-\u00ac\u00ae-\u02ff"  # Latin
    "\u0391-\u03a1\u03a3-\u0482\u048a-\u052f"  # Greek, Cyrillic
    "\u2010-\u2015\u2018-\u2027\u2030-\u203b"  # punctuation
    "\u2190-\u21ff\u2200-\u22ff\u2500-\u25fc"  # arrows, operators, boxes
    "\u2713\u2717"
    "]*"
).fullmatch


def is_narrow(text: str) -> bool:
    """Whether a text has only such characters: then it is as many cells wide as it is long."""
    return _NARROW(text) is not None

"""The line being written, shown as it will look: marks that are open are closed for the eye.

Without this every bold word flashes its asterisks, and every link its address, until it is complete.
"""

from __future__ import annotations

import re

_LINK = re.compile(r"!?\[[^\[\]]{0,200}(?:\](?:\([^()\s]{0,2000})?)?$")
_TASK = re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)])\s+$")
_CODE = re.compile(r"`[^`]*`")
_LOOSE_END = re.compile(r"(?:^|(?<=[\s(]))[*_~`]{1,3}$")


def closed(source: str) -> str:
    """`source` with its last line's open marks closed; the rest as it is."""
    head, end, line = source.rpartition("\n")
    if not line.strip():
        return source
    return head + end + _closed_line(line)


def _closed_line(line: str) -> str:
    link = _LINK.search(line)
    if link is not None and not _TASK.match(line[: link.start()]):
        line = line[: link.start()]
    if line.count("`") % 2:
        bare = line.rstrip()
        line = bare[:-1] if bare.endswith("`") else bare + "`"
    line = _LOOSE_END.sub("", line)
    outside = _CODE.sub("", line)
    for mark in ("~~", "**"):
        if outside.count(mark) % 2:
            bare = line.rstrip()
            line = bare[: -len(mark)] if bare.endswith(mark) else bare.rstrip(mark[0]) + mark
    return line

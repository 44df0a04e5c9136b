"""A table as data: what the viewer, the copies, the files and the charts all work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["text", "integer", "decimal", "boolean", "date", "timestamp", "empty"]
"""What all filled cells of a column are; `empty` where none is filled."""


@dataclass(frozen=True, slots=True)
class DataTable:
    """Named columns and rows of raw text, as the server or the model wrote them.

    Every row has as many cells as there are columns. What is missing and what is null is "".
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    title: str = ""
    """What it is a table of, in a few words. Raw."""

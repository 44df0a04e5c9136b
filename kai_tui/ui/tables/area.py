"""What is marked in a table: a block of cells, whole rows, whole columns, or all. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Shape: TypeAlias = Literal["cells", "rows", "columns", "all"]


@dataclass(frozen=True, slots=True)
class Area:
    """A block of cells. Rows are counted as they are shown; `bottom` and `right` come after the last one."""

    top: int
    left: int
    bottom: int
    right: int
    shape: Shape = "cells"

    @property
    def rows(self) -> int:
        return self.bottom - self.top

    @property
    def columns(self) -> int:
        return self.right - self.left

    @property
    def cells(self) -> int:
        return self.rows * self.columns

    def columns_in(self, row: int) -> tuple[int, int]:
        """First column and the one after the last in a row; equal where none is."""
        return (self.left, self.right) if self.top <= row < self.bottom else (0, 0)


def spanned(anchor: tuple[int, int], cursor: tuple[int, int], shape: Shape, rows: int, columns: int) -> Area:
    """The block from one corner (row, column) to the other, in a table of so many rows and columns."""
    top, bottom = sorted((anchor[0], cursor[0]))
    left, right = sorted((anchor[1], cursor[1]))
    if shape in ("columns", "all"):
        top, bottom = 0, rows - 1
    if shape in ("rows", "all"):
        left, right = 0, columns - 1
    return Area(top, left, min(bottom + 1, rows), min(right + 1, columns), shape)

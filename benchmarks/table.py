"""Figures with their floors, as text and as markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure against its floor."""

    name: str
    value: float
    unit: str
    floor_name: str = ""
    floor: float | None = None
    bar: float | None = None
    """The highest ratio allowed, or with no floor the highest value."""

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        if self.bar is None:
            return None
        measured = self.ratio if self.floor is not None else self.value
        return measured is not None and measured <= self.bar


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def markdown(rows: Sequence[Row]) -> str:
    """A table in markdown."""
    lines = ["| figure | value | floor | ratio | bar | |", "| --- | --: | --- | --: | --: | --- |"]
    for row in rows:
        floor = f"{row.floor_name}: {_number(row.floor)} {row.unit}" if row.floor is not None else ""
        ratio = f"{row.ratio:.2f} ×" if row.ratio is not None else ""
        bar = (
            ""
            if row.bar is None
            else f"≤ {row.bar} ×"
            if row.floor is not None
            else f"≤ {row.bar} {row.unit}"
        )
        met = {None: "", True: "met", False: "missed"}[row.met]
        lines.append(f"| {row.name} | {_number(row.value)} {row.unit} | {floor} | {ratio} | {bar} | {met} |")
    return "\n".join(lines)

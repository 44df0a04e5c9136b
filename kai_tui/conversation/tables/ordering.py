"""Rows in the order of one column. What is not there stands last, up or down; equal rows keep their order."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from kai_tui.conversation.tables.blank import BLANK
from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.conversation.tables.kinds import TRUE, column, is_number
from kai_tui.conversation.tables.moments import moments
from kai_tui.conversation.tables.written_numbers import number_form


def ordered(table: DataTable, column_index: int, kind: Kind, *, descending: bool) -> list[int]:
    """Row numbers in order: numbers by value, times by time, text without regard to case and accents.

    `kind`: what the column is (`kinds`); one its cells are not is taken as text. 100,000 rows take 0.1 to 0.3 s:
    call it in a thread.
    """
    keys = sort_keys(column(table, column_index), kind)
    filled = [row for row, key in enumerate(keys) if key is not None]
    filled.sort(key=keys.__getitem__, reverse=descending)
    if len(filled) < len(keys):
        filled.extend(row for row, key in enumerate(keys) if key is None)
    return filled


def sort_keys(cells: Sequence[str], kind: Kind) -> list[Any]:
    """What the cells are compared by; None where nothing is."""
    if is_number(kind):
        form = number_form(cells)
        if form is not None:
            return form.values(cells)
    elif kind in ("date", "timestamp"):
        distinct = list(set(cells) - BLANK)
        times = moments(distinct)
        if None not in times:
            # Numbers are compared much faster than points in time.
            known = {
                cell: time.timestamp() for cell, time in zip(distinct, times, strict=True) if time is not None
            }
            return [known.get(cell) for cell in cells]
    elif kind == "boolean":
        return [None if cell in BLANK else cell.casefold() in TRUE for cell in cells]
    return [_text_key(cell) if cell else None for cell in cells]


def _text_key(text: str) -> str:
    folded = text.casefold()
    if folded.isascii():
        return folded
    return "".join(sign for sign in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(sign))

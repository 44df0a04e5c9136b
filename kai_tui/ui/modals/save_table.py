"""A table into a file of the user's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.formats import ENDINGS, Format, formulas, without_formulas, written
from kai_tui.ui.modals.save_as import SaveAs, SaveFormat

_ABOUT: dict[Format, str] = {
    "csv": "Cells as they are, apart by commas.",
    "json": "A list of objects; numbers where nothing is lost by it.",
    "parquet-ready csv": "One type in every column, plain numbers, ISO dates: for DuckDB, Spark, pandas to Parquet.",
    "tsv": "Cells as they are, apart by tabs: what spreadsheets paste.",
    "markdown": "A table for documents and chats.",
}


def save_table(table: DataTable) -> SaveAs:
    """The dialog that saves these rows."""

    def caution() -> str:
        count = formulas(table)
        if not count:
            return ""
        cells = "1 cell begins" if count == 1 else f"{count:,} cells begin"
        return f"{cells} with = + - or @, which a spreadsheet runs as a formula."

    formats = [
        SaveFormat(how, ENDINGS[how], about, partial(written, table, how), _careful(table, how))
        for how, about in _ABOUT.items()
    ]
    count = len(table.rows)
    rows = "1 row" if count == 1 else f"{count:,} rows"
    return SaveAs(table.title or "table", formats, heading=f"Save {rows}", caution=caution)


def _careful(table: DataTable, how: Format) -> Callable[[], Iterable[str]] | None:
    if how not in ("csv", "tsv"):
        return None
    return lambda: written(without_formulas(table), how)

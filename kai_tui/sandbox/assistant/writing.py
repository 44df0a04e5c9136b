"""Markdown the assistant writes: tables, SQL, lists of next steps."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

_WHOLE = re.compile(r"-?\d+")
_DECIMAL = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")

ROWS_SHOWN = 20


def cell(value: Any) -> str:
    """One cell of a markdown table: no line breaks, no bars."""
    text = "" if value is None else str(value)
    return " ".join(text.split()).replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A markdown table; columns of numbers stand right, decimals with two places."""
    texts = [[cell(value) for value in row] for row in rows]
    columns = list(zip(*texts, strict=True)) if texts else [() for _ in head]
    numeric = [bool(column) and all(_number(text) or not text for text in column) for column in columns]
    shown = [[number(text) if _DECIMAL.fullmatch(text) else text for text in row] for row in texts]
    lines = [
        "| " + " | ".join(cell(name) for name in head) + " |",
        "|" + "|".join("---:" if right else "---" for right in numeric) + "|",
    ]
    lines += ["| " + " | ".join(row) + " |" for row in shown]
    return "\n".join(lines)


def _number(text: str) -> bool:
    return _WHOLE.fullmatch(text) is not None or _DECIMAL.fullmatch(text) is not None


def number(value: Any) -> str:
    """`1234.5` as `1,234.50`; whole numbers as `1,234`."""
    amount = float(value or 0)
    return f"{int(amount):,}" if amount == int(amount) and "." not in str(value) else f"{amount:,.2f}"


def euro(value: Any) -> str:
    """An amount without cents: `1,234 euro`."""
    return f"{round(float(value or 0)):,} euro"


def csv_rows(output: Any) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the output of `query_data`."""
    rows = list(csv.reader(io.StringIO(output["csv_data"])))
    return (rows[0], rows[1:]) if rows else ([], [])


def result_table(output: Any, limit: int = ROWS_SHOWN) -> str:
    """The output of `query_data` as a markdown table, with a word about what is not shown."""
    columns, rows = csv_rows(output)
    if not rows:
        return "No rows."
    text = table(columns, rows[:limit])
    if len(rows) > limit:
        text += f"\n\nThese are the first {limit} of {len(rows):,} rows; the call above has the others."
    return text


def sql(statement: str) -> str:
    """A block of SQL."""
    return f"```sql\n{statement}\n```"


def quote(text: str) -> str:
    """What somebody said, as a quotation."""
    return "\n".join(f"> {line}" for line in text.strip().splitlines())


def next_actions(*suggestions: str) -> str:
    """The block of suggested next steps at the end of an answer (kai.md §10)."""
    return "\n\n```next_actions\n" + "\n".join(f"- {suggestion}" for suggestion in suggestions) + "\n```"


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 table`, `3 tables`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """`text` with a full stop."""
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."

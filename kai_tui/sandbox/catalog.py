"""Buckets, tables and columns of the project, and their descriptions."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from kai_tui.sandbox.project import NotPossible, Project, quoted, stamp, whole

JsonObject: TypeAlias = dict[str, Any]

BYTES_PER_CELL = 24
"""The sandbox does not weigh its tables; it guesses."""

_BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,95}")


def buckets(project: Project, ids: Sequence[str] = ()) -> list[JsonObject]:
    """All buckets, or those named, as `get_buckets` shows them (keboola-tools.md §3)."""
    with project.look() as connection:
        rows = connection.execute(
            "SELECT b.*, count(t.id) AS tables_count FROM kai_buckets AS b "
            "LEFT JOIN kai_tables AS t ON t.bucket_id = b.id GROUP BY b.id ORDER BY b.id"
        ).fetchall()
        sizes = {row["id"]: _bucket_size(project, row["id"]) for row in rows}
    return [
        {
            "id": row["id"],
            "name": row["id"].split(".", 1)[1],
            "display_name": row["display_name"],
            **_described(row["description"]),
            "stage": row["stage"],
            "created": row["created"],
            "tables_count": row["tables_count"],
            "data_size_bytes": sizes[row["id"]],
        }
        for row in rows
        if not ids or row["id"] in ids
    ]


def _described(description: str) -> JsonObject:
    return {"description": description} if description else {}


def _bucket_size(project: Project, bucket_id: str) -> int:
    return sum(_size(project, table_id) for table_id in table_ids(project, bucket_id))


def _size(project: Project, table_id: str) -> int:
    with project.look() as connection:
        columns = connection.execute(
            "SELECT count(*) FROM kai_columns WHERE table_id=?", (table_id,)
        ).fetchone()[0]
    return columns * row_count(project, table_id) * BYTES_PER_CELL


def table_ids(project: Project, bucket_id: str | None = None) -> list[str]:
    """Ids of all tables, or of those in one bucket."""
    with project.look() as connection:
        rows = connection.execute(
            "SELECT id FROM kai_tables WHERE ?1 IS NULL OR bucket_id = ?1 ORDER BY id", (bucket_id,)
        ).fetchall()
    return [row["id"] for row in rows]


def row_count(project: Project, table_id: str) -> int:
    """How many rows a table has."""
    with project.look() as connection:
        return connection.execute(f"SELECT count(*) FROM {quoted(table_id)}").fetchone()[0]  # noqa: S608


def tables(project: Project, ids: Sequence[str]) -> list[JsonObject]:
    """The tables named, with their columns, as `get_tables` shows them."""
    with project.look() as connection:
        found: list[JsonObject] = []
        for table_id in ids:
            row = connection.execute("SELECT * FROM kai_tables WHERE id=?", (table_id,)).fetchone()
            if row is None:
                continue
            columns = connection.execute(
                "SELECT * FROM kai_columns WHERE table_id=? ORDER BY position", (table_id,)
            ).fetchall()
            bucket, name = table_id.rsplit(".", 1)
            found.append(
                {
                    "id": table_id,
                    "name": name,
                    "display_name": name,
                    **_described(row["description"]),
                    "bucket_id": bucket,
                    "primary_key": json.loads(row["primary_key"]),
                    "rows_count": row_count(project, table_id),
                    "data_size_bytes": _size(project, table_id),
                    "created": row["created"],
                    "last_import": row["imported"],
                    "fully_qualified_name": f'"{bucket}"."{name}"',
                    "columns": [
                        {
                            "name": column["name"],
                            "database_native_type": column["type"],
                            "nullable": True,
                            **_described(column["description"]),
                        }
                        for column in columns
                    ],
                }
            )
    return found


def create_bucket(project: Project, name: str, stage: str, description: str = "") -> JsonObject:
    """Make an empty bucket `STAGE.c-NAME`. Raises NotPossible."""
    bare = name.strip().removeprefix(f"{stage}.").removeprefix("c-")
    if _BUCKET_NAME.fullmatch(bare) is None:
        raise NotPossible(
            "A bucket's name has letters, digits, - and _ only, begins with a letter or digit, "
            "and has at most 96 of them."
        )
    bucket_id = f"{stage}.c-{bare}"
    with project.change() as connection:
        if connection.execute("SELECT 1 FROM kai_buckets WHERE lower(id)=lower(?)", (bucket_id,)).fetchone():
            raise NotPossible(f"The bucket {bucket_id} already exists.")
        connection.execute(
            "INSERT INTO kai_buckets VALUES(?, ?, ?, ?, ?)",
            (bucket_id, bare, stage, whole(description), stamp(project.now())),
        )
    return buckets(project, [bucket_id])[0]


def describe(project: Project, item_id: str, description: str) -> None:
    """Set the description of a bucket, a table or a column. Raises NotPossible when there is none."""
    text = whole(description)
    with project.change() as connection:
        for statement, parameters in (
            ("UPDATE kai_buckets SET description=? WHERE id=?", (text, item_id)),
            ("UPDATE kai_tables SET description=? WHERE id=?", (text, item_id)),
            (
                "UPDATE kai_columns SET description=? WHERE table_id=? AND name=?",
                (text, *_column(item_id)),
            ),
        ):
            if connection.execute(statement, parameters).rowcount:
                return
    raise NotPossible(f"There is no bucket, table or column {item_id}.")


def _column(item_id: str) -> tuple[str, str]:
    table, _, column = item_id.rpartition(".")
    return table, column

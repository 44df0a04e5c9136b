"""SQL that takes something away is pointed out; comments, texts and names do not fool it."""

from time import perf_counter

import pytest

from kai_tui.conversation.reviews.sql_dangers import sql_dangers

MAY = "May be more than a comment or a text, depending on the database: "


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            'DROP TABLE IF EXISTS "in.c-crm"."orders";',
            'DROP TABLE "in.c-crm"."orders": gone once this SQL runs.',
        ),
        ("drop/* x */view a.b", "DROP VIEW a.b: gone once this SQL runs."),
        ("ALTER TABLE t DROP COLUMN c", "DROP COLUMN c: gone once this SQL runs."),
        ("SELECT 1;\n  truncate table a.b", "TRUNCATE a.b: all of its rows are gone once this SQL runs."),
        ("DELETE FROM t", "DELETE without WHERE: all rows of t."),
        ("DELETE FROM t -- WHERE id = 1", "DELETE without WHERE: all rows of t."),
        ("DELETE FROM t USING (SELECT 1 WHERE a = 1) u", "DELETE without WHERE: all rows of t."),
        ("WITH a AS (SELECT 1 WHERE 1=1) DELETE FROM b", "DELETE without WHERE: all rows of b."),
        ("DELETE t WHERE true", "DELETE with a WHERE that is always true: all rows of t."),
        ("delete from t where id in (select 1)", "DELETE: rows of t."),
        ("UPDATE t SET a = 'WHERE'", "UPDATE without WHERE: all rows of t."),
        ("UPDATE t SET a = (SELECT 1 WHERE b)", "UPDATE without WHERE: all rows of t."),
        ("UPDATE t SET a = 1 WHERE 1=1", "UPDATE with a WHERE that is always true: all rows of t."),
        ("BEGIN UPDATE t SET a = 1; END", "UPDATE without WHERE: all rows of t."),
        ("MERGE INTO x USING y ON a WHEN MATCHED THEN DELETE", "MERGE deletes the rows that match."),
        (
            "INSERT OVERWRITE INTO t SELECT 1",
            "INSERT OVERWRITE t: its present rows are gone once this SQL runs.",
        ),
        ("EXECUTE IMMEDIATE $$SELECT 1$$", "EXECUTE IMMEDIATE runs SQL that is put together while it runs."),
        ("/* never closed\nDROP TABLE y", "DROP TABLE y: gone once this SQL runs."),
        ("SELECT 'never closed; DROP TABLE y", "DROP TABLE y: gone once this SQL runs."),
        ("SELECT '\\'; DROP TABLE y; --'", f"{MAY}DROP TABLE y: gone once this SQL runs."),
        ("SELECT 5 // 2; DROP TABLE y", f"{MAY}DROP TABLE y: gone once this SQL runs."),
    ],
)
def test_what_takes_something_away_is_said(sql: str, said: str) -> None:
    assert sql_dangers(sql) == (said,)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'DROP TABLE x', \"delete from y\" FROM `truncate table z` -- DELETE FROM t\n/* DROP TABLE x */",
        "SELECT 'it''s; DROP TABLE x'",
        "SELECT $$ DROP TABLE x $$",
        "SELECT truncate(price, 2), t.delete FROM t",
        "CREATE TABLE x (a INT REFERENCES y ON DELETE CASCADE)",
        "SELECT * FROM t FOR UPDATE",
        "UPDATE t SET a = 1 WHERE b = (SELECT 2)",
        "MERGE INTO x USING y ON a WHEN MATCHED THEN UPDATE SET a = 1",
        "CREATE OR REPLACE TABLE dropped_updates AS SELECT 1",
        "",
    ],
)
def test_what_only_looks_like_it_is_not(sql: str) -> None:
    assert sql_dangers(sql) == ()


def test_each_danger_is_said_once_and_in_order() -> None:
    assert sql_dangers("DROP TABLE b; DELETE FROM a; DROP TABLE b") == (
        "DROP TABLE b: gone once this SQL runs.",
        "DELETE without WHERE: all rows of a.",
    )


@pytest.mark.some(3)
@pytest.mark.parametrize(
    "piece", ["/*", "'", ") update x ", "delete from ", "\\'", "a#//\\", "`\n", "(drop", "'''"]
)
def test_nothing_keeps_it_busy_for_long(piece: str) -> None:
    text = f"{piece * (190_000 // len(piece))} drop"
    begin = perf_counter()
    sql_dangers(text)
    assert perf_counter() - begin < 20, "it grows faster than the text"
    assert sql_dangers("drop " * 50_000) == (
        "The SQL is too long to be looked through (250,000 characters).",
    )

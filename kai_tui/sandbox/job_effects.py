"""What a job does to the project when it ends."""

from __future__ import annotations

import random
import re
import sqlite3
from datetime import datetime
from typing import Any, TypeAlias, cast

from kai_tui.sandbox import company, configs, workplace
from kai_tui.sandbox.project import Project, make_table, quoted, refresh_reports, stamp
from kai_tui.sandbox.queries import QueryFailed, QueryResult, run_query
from kai_tui.sandbox.workplace import Outcome

JsonObject: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, str]

_MAKES_TABLE = re.compile(
    r"""\s*CREATE\s+(?:OR\s+REPLACE\s+)?TABLE\s+(?:"([^"]+)"|`([^`]+)`|(\w+))\s+AS\s+(.+?);?\s*""",
    re.IGNORECASE | re.DOTALL,
)


Prepared: TypeAlias = dict[Key, list[tuple[str, QueryResult]] | str]
"""What the transformations of a job will write, by configuration, or why they fail."""


def prepare(project: Project, job: sqlite3.Row) -> Prepared:
    """Run the queries of a job. Must happen outside a transaction: queries have a connection of their own."""
    key = (str(job["component_id"]), str(job["config_id"]))
    config = configs.config(project, key)
    if config is None:
        return {}
    keys = [_task_key(task) for task in _tasks(config)] if key[0] in workplace.FLOW_COMPONENTS else [key]
    return {
        each: _queried(project, each)
        for each in keys
        if each[0] == workplace.TRANSFORMATION and each != workplace.REPORTING
    }


def perform(
    project: Project, connection: sqlite3.Connection, job: sqlite3.Row, prepared: Prepared
) -> tuple[Outcome, str]:
    """Do the job, inside the transaction that ends it. Answers with its outcome and message."""
    key = (str(job["component_id"]), str(job["config_id"]))
    config = configs.config(project, key)
    if config is None:
        return "error", "The configuration was deleted."
    if key[0] in workplace.FLOW_COMPONENTS:
        return _flow(project, connection, job, config, prepared)
    return _one(project, connection, key, config, int(job["id"]), prepared)


def _one(
    project: Project,
    connection: sqlite3.Connection,
    key: Key,
    config: JsonObject,
    number: int,
    prepared: Prepared,
) -> tuple[Outcome, str]:
    now = project.now()
    chance = random.Random(number)  # noqa: S311 - made-up sales, no secrets
    if key == workplace.CRM:
        return "success", _new_customers(connection, now, chance)
    if key == workplace.SHOP:
        return "success", _new_orders(connection, now, chance)
    if key == workplace.SUPPORT:
        if config["parameters"].get("#api_token") == workplace.EXPIRED_SECRET:
            return "error", workplace.EXPIRED_MESSAGE
        _imported(connection, "in.c-support.tickets", now)
        return "success", "Loaded 1 table."
    if key == workplace.REPORTING:
        refresh_reports(connection)
        for name in ("monthly_sales", "customer_value"):
            _imported(connection, f"out.c-reporting.{name}", now)
        return "success", "2 tables written to out.c-reporting."
    if key == workplace.SHEET:
        rows = connection.execute('SELECT count(*) FROM "out.c-reporting.monthly_sales"').fetchone()[0]
        return "success", f"Sheet written: {rows} rows. (The sandbox has no real sheet.)"
    if key[0] == workplace.TRANSFORMATION:
        return _transformation(connection, config, prepared.get(key, []), stamp(now))
    return "warning", "This component does nothing in the sandbox: no data was read or written."


def _imported(connection: sqlite3.Connection, table_id: str, now: datetime) -> None:
    connection.execute("UPDATE kai_tables SET imported=? WHERE id=?", (stamp(now), table_id))


def _new_customers(connection: sqlite3.Connection, now: datetime, chance: random.Random) -> str:
    count = connection.execute('SELECT count(*) FROM "in.c-crm.customers"').fetchone()[0]
    new = [company.customer(count + number, now.date(), chance) for number in range(1, 4)]
    connection.executemany('INSERT INTO "in.c-crm.customers" VALUES(?, ?, ?, ?, ?, ?, ?)', new)
    for table_id in ("in.c-crm.customers", "in.c-crm.deals"):
        _imported(connection, table_id, now)
    return f"Loaded 2 tables. {len(new)} new customers: {', '.join(str(row[1]) for row in new)}."


def _new_orders(connection: sqlite3.Connection, now: datetime, chance: random.Random) -> str:
    customers = [tuple(row) for row in connection.execute('SELECT * FROM "in.c-crm.customers"')]
    last = connection.execute('SELECT max(order_id) FROM "in.c-shop.orders"').fetchone()[0] or 1000
    total = 0.0
    for number in range(1, 6):
        order, lines = company.new_order(last + number, now.date(), customers, chance)
        connection.execute('INSERT INTO "in.c-shop.orders" VALUES(?, ?, ?, ?, ?, ?, ?)', order)
        connection.executemany('INSERT INTO "in.c-shop.order_items" VALUES(?, ?, ?, ?, ?)', lines)
        total += float(order[-1] or 0)
    for name in ("orders", "order_items", "products", "regions"):
        _imported(connection, f"in.c-shop.{name}", now)
    return f"Loaded 4 tables. 5 new orders worth {total:,.2f} euro."


def _tasks(config: JsonObject) -> list[JsonObject]:
    tasks: Any = config["parameters"].get("tasks")
    return (
        [task for task in cast("list[Any]", tasks) if isinstance(task, dict)]
        if isinstance(tasks, list)
        else []
    )


def _task_key(task: JsonObject) -> Key:
    what: Any = task.get("task")
    inner = cast("JsonObject", what) if isinstance(what, dict) else {}
    return str(inner.get("componentId")), str(inner.get("configId"))


def _flow(
    project: Project, connection: sqlite3.Connection, job: sqlite3.Row, config: JsonObject, prepared: Prepared
) -> tuple[Outcome, str]:
    worst: Outcome = "success"
    notes: list[str] = []
    for task in _tasks(config):
        key = _task_key(task)
        child = configs.config(project, key)
        if child is None or not task.get("enabled", True):
            continue
        number = connection.execute(
            "INSERT INTO kai_jobs(component_id, config_id, row_ids, parent_id, created, started, ends, message) "
            "VALUES(?, ?, '[]', ?, ?, ?, ?, '')",
            (*key, job["id"], job["created"], job["started"], job["ends"]),
        ).lastrowid
        outcome, message = _one(project, connection, key, child, number or 0, prepared)
        connection.execute("UPDATE kai_jobs SET outcome=?, message=? WHERE id=?", (outcome, message, number))
        notes.append(f"{child['name']}: {outcome}")
        if outcome == "error" and not task.get("continueOnFailure"):
            return "error", f"Stopped after {child['name']} failed: {message}"
        if outcome != "success":
            worst = "warning"
    return worst, "; ".join(notes) + "."


def _queried(project: Project, key: Key) -> list[tuple[str, QueryResult]] | str:
    """Run the SELECT of every `CREATE TABLE x AS SELECT …` of a transformation."""
    config = configs.config(project, key)
    found: list[tuple[str, QueryResult]] = []
    for script in _scripts(config["parameters"]) if config is not None else ():
        match = _MAKES_TABLE.fullmatch(script)
        if match is None:
            return "The sandbox runs only CREATE TABLE name AS SELECT … in a transformation."
        try:
            found.append((match[1] or match[2] or match[3], run_query(project, match[4])))
        except QueryFailed as error:
            return str(error)
    return found


def _transformation(
    connection: sqlite3.Connection,
    config: JsonObject,
    results: list[tuple[str, QueryResult]] | str,
    now: str,
) -> tuple[Outcome, str]:
    if isinstance(results, str):
        return "error", results
    bucket_id = "out.c-" + (re.sub(r"[^a-z0-9]+", "-", config["name"].lower()).strip("-") or "results")
    made = [
        _write(
            connection, f"{bucket_id}.{re.sub(r'[^A-Za-z0-9_]', '_', name)}", result.columns, result.rows, now
        )
        for name, result in results
    ]
    return "success", f"Written: {', '.join(made)}." if made else "Nothing to do."


def _scripts(parameters: JsonObject) -> list[str]:
    try:
        codes = [code for block in parameters["blocks"] for code in block["codes"]]
        return [str(script) for code in codes for script in code["script"]]
    except (KeyError, TypeError):
        return []


def _write(
    connection: sqlite3.Connection, table_id: str, columns: list[str], rows: list[tuple[Any, ...]], now: str
) -> str:
    bucket_id = table_id.rsplit(".", 1)[0]
    connection.execute(
        "INSERT OR IGNORE INTO kai_buckets VALUES(?, ?, 'out', '', ?)", (bucket_id, bucket_id[6:], now)
    )
    connection.execute(f"DROP TABLE IF EXISTS {quoted(table_id)}")
    connection.execute("DELETE FROM kai_tables WHERE id=?", (table_id,))
    connection.execute("DELETE FROM kai_columns WHERE table_id=?", (table_id,))
    names = [re.sub(r"\W+", "_", column).strip("_") or f"column_{n}" for n, column in enumerate(columns, 1)]
    unique = [name if name not in names[:n] else f"{name}_{n}" for n, name in enumerate(names)]
    kinds = [_kind([row[n] for row in rows]) for n in range(len(columns))]
    table = company.Table(
        table_id, "", [(name, kind, "") for name, kind in zip(unique, kinds, strict=True)], (), rows
    )
    make_table(connection, table, now)
    return table_id


def _kind(cells: list[Any]) -> str:
    if cells and all(isinstance(cell, int) for cell in cells):
        return "INTEGER"
    return "REAL" if cells and all(isinstance(cell, int | float) for cell in cells) else "TEXT"

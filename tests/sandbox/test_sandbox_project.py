"""The project: the same every time, private, guarded against queries, changed by jobs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from kai_tui.sandbox import jobs, workplace
from kai_tui.sandbox.parameters import apply_operations, path_steps
from kai_tui.sandbox.project import NotPossible, Project, ProjectUnusable
from kai_tui.sandbox.queries import QueryFailed, in_sqlite_words, run_query
from kai_tui.sandbox.tools import TOOLS

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "file"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    path = ":memory:" if request.param == "memory" else tmp_path / "project.db"
    opened = Project.open(path, clock=lambda: NOON)
    opened.job_seconds = 0
    yield opened
    opened.close()


def dump(project: Project) -> list[str]:
    with project.look() as connection:
        return list(connection.iterdump())


def call(project: Project, tool_name: str, /, **given: Any) -> Any:
    tool = TOOLS[tool_name]
    assert tool.problem(given) is None
    return tool.run(project, given)


def test_two_projects_of_one_day_are_equal() -> None:
    one, two = (Project.open(":memory:", today=date(2026, 5, 4), clock=lambda: NOON) for _ in range(2))
    assert dump(one) == dump(two)
    later = Project.open(":memory:", clock=lambda: NOON.replace(month=9))
    regions = "SELECT region, sum(amount) FROM orders GROUP BY 1"
    assert run_query(one, regions).rows == run_query(later, regions).rows
    for each in (one, two, later):
        each.close()


def test_two_programs_on_one_file(tmp_path: Path) -> None:
    one, two = Project.open(tmp_path / "p.db"), Project.open(tmp_path / "p.db")
    call(one, "create_bucket", name="shared")
    assert "in.c-shared" in [each["id"] for each in call(two, "get_buckets")["buckets"]]
    two.job_seconds = 0
    job = call(two, "run_job", component_id=workplace.CRM[0], configuration_id=workplace.CRM[1])
    for each in (one, two, one):
        jobs.finish_due(each)
    assert call(one, "get_jobs", job_ids=[job["id"]])["jobs"][0]["status"] == "success"
    assert run_query(two, "SELECT count(*) FROM customers").rows == [(99,)]
    one.close()
    two.close()


def test_a_damaged_file_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    path.write_bytes(b"this is no database, and long enough to be looked at" * 100)
    project = Project.open(path)
    assert run_query(project, "SELECT count(*) FROM orders").rows == [(420,)]
    assert [each.name for each in tmp_path.iterdir() if ".broken-" in each.name]
    project.close()


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    Project.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(ProjectUnusable, match="newer"):
        Project.open(path)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ProjectUnusable, match="cannot be opened"):
        Project.open(tmp_path / "file" / "p.db")


@pytest.mark.parametrize(
    "name",
    [
        '"in.c-shop"."orders"',
        '"KBC_USE4"."in.c-shop"."orders"',
        "`in.c-shop`.`orders`",
        '"in.c-shop" . "orders"',
        '"in.c-shop.orders"',
        "in.c-shop.orders",
        "orders",
        "ORDERS",
    ],
)
def test_names_of_tables(project: Project, name: str) -> None:
    assert run_query(project, f"SELECT count(*) FROM {name} AS o").rows == [(420,)]


def test_names_inside_texts_and_comments_stay() -> None:
    sql = 'SELECT \'in.c-shop.orders\', \'"in.c-shop"."orders"\' -- in.c-shop.orders\n/* "in.c-shop"."x" */'
    assert in_sqlite_words(sql) == sql
    assert in_sqlite_words('SELECT "a"."b", "in.c-shop"."orders"."amount"') == (
        'SELECT "a"."b", "in.c-shop.orders"."amount"'
    )


@pytest.mark.some(15)
@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM orders",
        'DELETE FROM "in.c-shop.orders"',
        'INSERT INTO "in.c-shop.regions" VALUES(1, 2, 3)',
        'UPDATE "in.c-shop"."orders" SET amount = 0',
        'DROP TABLE "in.c-shop.orders"',
        "CREATE TABLE x(a)",
        "CREATE TEMP TABLE x(a)",
        "SELECT * FROM kai_chats",
        "SELECT * FROM main.kai_messages",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM pragma_table_list",
        "PRAGMA user_version",
        "PRAGMA writable_schema=ON",
        "ATTACH '/tmp/x.db' AS x",
        "VACUUM INTO '/tmp/x.db'",
        "BEGIN",
        "SELECT load_extension('x')",
        "",
        "-- nothing",
        "SELECT 1; DELETE FROM orders",
        "SELECT zeroblob(100000000)",
        "SELECT",
        "SELECT \x00",
    ],
)
def test_what_queries_may_not_do(project: Project, sql: str) -> None:
    before = dump(project)
    with pytest.raises(QueryFailed):
        run_query(project, sql)
    assert dump(project) == before


def test_queries_end(project: Project) -> None:
    endless = "WITH RECURSIVE t(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM t) SELECT "
    with pytest.raises(QueryFailed, match="longer than"):
        run_query(project, f"{endless} count(*) FROM t", seconds=0.1)
    result = run_query(project, f"{endless} a FROM t", limit=10)
    assert (len(result.rows), result.cut) == (10, True)
    big = run_query(project, f"{endless} printf('%.*c', 500000, 'x') FROM t")
    assert len(big.rows) < 10
    assert big.cut


def test_rows_as_csv(project: Project) -> None:
    output = call(
        project,
        "query_data",
        sql_query="SELECT 'a\"b,c' AS x, NULL AS y, 1.5 AS z, x'ff' AS b",
        query_name="n",
    )
    assert output == {"query_name": "n", "csv_data": '"x","y","z","b"\n"a""b,c","","1.5","ff"\n'}
    assert (
        "first 1,000"
        in call(project, "query_data", sql_query="SELECT 1 FROM orders, products", query_name="n")["message"]
    )


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("query_data", {"sql_query": 42, "query_name": "x"}),
        ("query_data", {"sql_query": "SELECT 1"}),
        ("query_data", []),
        ("create_bucket", {"name": "x", "stage": "sys"}),
        ("update_descriptions", {"updates": ["x"]}),
        ("run_job", {"component_id": "x", "configuration_id": 5}),
        ("get_jobs", {"limit": True}),
        ("create_config", {"name": "x", "description": "", "component_id": "x", "parameters": "x"}),
    ],
)
def test_inputs_are_checked(name: str, given: Any) -> None:
    assert str(TOOLS[name].problem(given)).startswith(f"Invalid input for tool {name}: ")


def test_null_counts_as_absent() -> None:
    assert TOOLS["get_tables"].problem({"bucket_ids": None, "unknown": 1}) is None


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("create_bucket", {"name": "../x"}),
        ("create_bucket", {"name": ""}),
        ("create_bucket", {"name": "CRM"}),
        ("run_job", {"component_id": "x", "configuration_id": "y"}),
        (
            "run_job",
            {
                "component_id": "keboola.ex-db-mysql",
                "configuration_id": "4102",
                "configuration_row_ids": ["r9"],
            },
        ),
        ("update_config", {"component_id": "x", "configuration_id": "y", "change_description": "z"}),
        ("create_config", {"component_id": "x", "name": "y", "description": "", "parameters": {}}),
        ("get_configs", {"configs": [{"component_id": "x", "configuration_id": "y"}]}),
        ("search", {"patterns": ["("], "mode": "regex"}),
        ("create_sql_transformation", {"name": "x", "description": "", "sql_code_blocks": [{"name": "x"}]}),
    ],
)
def test_what_is_not_possible(project: Project, name: str, given: dict[str, Any]) -> None:
    with pytest.raises(NotPossible):
        call(project, name, **given)


def test_descriptions(project: Project) -> None:
    output = call(
        project,
        "update_descriptions",
        updates=[
            {"item_id": "in.c-crm", "description": "one"},
            {"item_id": "in.c-crm.customers", "description": "two"},
            {"item_id": "in.c-crm.customers.email", "description": "three"},
            {"item_id": "in.c-none", "description": "four"},
            {"item_id": 5},
        ],
    )
    assert (output["total_processed"], output["successful"], output["failed"]) == (5, 3, 2)
    (table,) = call(project, "get_tables", table_ids=["in.c-crm.customers"])["tables"]
    assert table["description"] == "two"
    assert table["columns"][2]["description"] == "three"
    assert call(project, "update_project_description", description="five") is None
    assert call(project, "get_project_info")["project_description"] == "five"


def test_what_was_not_found(project: Project) -> None:
    assert call(project, "get_buckets", bucket_ids=["in.c-crm", "x"])["buckets_not_found"] == ["x"]
    assert call(project, "get_tables", table_ids=["x"])["tables_not_found"] == ["x"]
    assert (
        call(project, "search", patterns=["ordrs"], item_types=["table"])["hits"][0]["table_id"]
        == "in.c-shop.orders"
    )


def run(project: Project, key: tuple[str, str]) -> dict[str, Any]:
    job = call(project, "run_job", component_id=key[0], configuration_id=key[1])
    assert job["status"] == "created"
    (ended,) = call(project, "get_jobs", job_ids=[job["id"]], include_logs=True)["jobs"]
    assert ended["logs"]
    return ended


def test_jobs_do_something(project: Project) -> None:
    count = "SELECT count(*) FROM "
    assert run(project, workplace.CRM)["status"] == "success"
    assert run_query(project, f"{count} customers").rows == [(99,)]
    assert run(project, workplace.SHOP)["status"] == "success"
    assert run_query(project, f"{count} orders").rows == [(425,)]
    assert run(project, workplace.REPORTING)["status"] == "success"
    assert run_query(project, f"{count} customer_value").rows == [(99,)]
    assert run(project, workplace.SHEET)["status"] == "success"
    assert run(project, workplace.SUPPORT)["status"] == "error"
    assert run(project, workplace.DAILY)["status"] == "warning"
    assert run(project, workplace.MONDAY)["status"] == "success"


def test_jobs_take_their_time() -> None:
    now = [NOON]
    project = Project.open(":memory:", clock=lambda: now[0])
    job = call(project, "run_job", component_id=workplace.CRM[0], configuration_id=workplace.CRM[1])
    (running,) = call(project, "get_jobs", job_ids=[job["id"]])["jobs"]
    assert (running["status"], running["isFinished"]) == ("processing", False)
    now[0] = NOON.replace(second=10)
    (ended,) = call(project, "get_jobs", job_ids=[job["id"]])["jobs"]
    assert (ended["status"], ended["durationSeconds"]) == ("success", 4)
    project.close()


def test_new_configurations(project: Project) -> None:
    made = call(
        project,
        "create_config",
        name="Mine",
        description="",
        component_id="keboola.ex-db-mysql",
        parameters={"a": [1]},
    )
    ids = {"component_id": made["component_id"], "configuration_id": made["configuration_id"]}
    changed = call(
        project,
        "update_config",
        **ids,
        change_description="More",
        name="Ours",
        parameter_updates=[{"op": "list_append", "path": "a", "value": 2}],
    )
    assert changed["version"] == 2
    (config,) = call(project, "get_configs", configs=[ids])["configs"]
    assert (config["name"], config["parameters"]) == ("Ours", {"a": [1, 2]})
    with pytest.raises(NotPossible, match="nothing at"):
        call(
            project,
            "update_config",
            **ids,
            change_description="x",
            parameter_updates=[{"op": "remove", "path": "b"}],
        )
    assert run(project, (made["component_id"], made["configuration_id"]))["status"] == "warning"


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (
            'CREATE TABLE "out" AS SELECT region, count(*) AS n, 1.5 AS x, NULL AS "a b" FROM orders GROUP BY 1',
            "success",
        ),
        ("CREATE TABLE t AS SELECT * FROM nope", "error"),
        ("DROP TABLE orders", "error"),
        ("CREATE TABLE t AS DELETE FROM orders", "error"),
    ],
)
def test_transformations_made_here(project: Project, script: str, status: str) -> None:
    made = call(
        project,
        "create_sql_transformation",
        name="My Own!",
        description="",
        sql_code_blocks=[{"name": "x", "script": script}],
    )
    for _ in range(2):
        assert run(project, (made["component_id"], made["configuration_id"]))["status"] == status
    if status == "success":
        assert len(run_query(project, "SELECT * FROM out.c-my-own.out").rows) == 4
        (table,) = call(project, "get_tables", bucket_ids=["out.c-my-own"])["tables"]
        assert [column["name"] for column in table["columns"]] == ["region", "n", "x", "a_b"]


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        (
            {"op": "set", "path": "$.db.host", "value": "h"},
            {"db": {"host": "h"}, "list": [{"n": 1}], "text": "abc"},
        ),
        (
            {"op": "set", "path": "new.deep", "value": 1},
            {"db": {}, "list": [{"n": 1}], "text": "abc", "new": {"deep": 1}},
        ),
        ({"op": "set", "path": "list[0].n", "value": 2}, {"db": {}, "list": [{"n": 2}], "text": "abc"}),
        ({"op": "remove", "path": "list[0]"}, {"db": {}, "list": [], "text": "abc"}),
        (
            {"op": "str_replace", "path": "text", "search_for": "b", "replace_with": "x"},
            {"db": {}, "list": [{"n": 1}], "text": "axc"},
        ),
        (
            {"op": "list_append", "path": "more", "value": 1},
            {"db": {}, "list": [{"n": 1}], "text": "abc", "more": [1]},
        ),
        (
            {"op": "set", "path": "['#key']", "value": "s"},
            {"db": {}, "list": [{"n": 1}], "text": "abc", "#key": "s"},
        ),
    ],
)
def test_operations(operation: dict[str, Any], after: dict[str, Any]) -> None:
    before = {"db": {}, "list": [{"n": 1}], "text": "abc"}
    assert apply_operations(before, [operation]) == after
    assert before == {"db": {}, "list": [{"n": 1}], "text": "abc"}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "set", "path": ""},
        {"op": "set"},
        {"op": "explode", "path": "a"},
        {"op": "remove", "path": "nothing"},
        {"op": "remove", "path": "list[5]"},
        {"op": "str_replace", "path": "db", "search_for": "a", "replace_with": "b"},
        {"op": "str_replace", "path": "text", "search_for": "zzz", "replace_with": "b"},
        {"op": "list_append", "path": "text", "value": 1},
        {"op": "set", "path": "text.x", "value": 1},
        {"op": "set", "path": "[[", "value": 1},
    ],
)
def test_operations_that_do_not_fit(operation: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        apply_operations({"db": {}, "list": [{"n": 1}], "text": "abc"}, [operation])


def test_paths() -> None:
    assert path_steps("$.a.b[0]['c d'].#e") == ["a", "b", 0, "c d", "#e"]

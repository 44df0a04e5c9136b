"""Tools about buckets, tables, descriptions and queries (keboola-tools.md §2, §3)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

from kai_tui.sandbox import catalog, company, configs
from kai_tui.sandbox.project import NotPossible, Project, stamp
from kai_tui.sandbox.queries import nearest, rows_asked_for, run_query
from kai_tui.sandbox.tools.base import Argument, JsonObject, Tool, link, texts

HITS_LIMIT = 50


def _get_project_info(project: Project, _given: JsonObject) -> Any:
    return {
        "project_id": company.PROJECT_ID,
        "project_name": company.PROJECT_NAME,
        "project_description": project.fact("description"),
        "organization_id": "1",
        "sql_dialect": "SQLite",
        "workspace_id": "sandbox",
        "branch_id": "main" if project.branch_id is None else str(project.branch_id),
        "branch_name": project.branch_name,
        "is_development_branch": project.branch_id is not None,
        "user_role": "admin",
        "links": [link("Project Dashboard", "dashboard")],
    }


def _update_project_description(project: Project, given: JsonObject) -> Any:
    project.set_fact("description", given["description"])


def _get_buckets(project: Project, given: JsonObject) -> Any:
    ids = texts(given, "bucket_ids")
    found = catalog.buckets(project, ids)
    missing = sorted(set(ids) - {bucket["id"] for bucket in found})
    stages = [bucket["stage"] for bucket in found]
    return {
        "buckets": found,
        "bucket_counts": {
            "total_buckets": len(found),
            "input_buckets": stages.count("in"),
            "output_buckets": stages.count("out"),
        },
        **({"buckets_not_found": missing} if missing else {}),
        "links": [link("Buckets in the project", "storage")],
    }


def _get_tables(project: Project, given: JsonObject) -> Any:
    buckets, wanted = texts(given, "bucket_ids"), texts(given, "table_ids")
    every = catalog.table_ids(project)
    if not buckets and not wanted:
        wanted = every
    ids = [table for table in every if table in wanted or table.rsplit(".", 1)[0] in buckets]
    missing = sorted(set(wanted) - set(every))
    asked = texts(given, "table_ids")
    return {
        "tables": catalog.tables(project, ids),
        **({"tables_not_found": missing} if missing else {}),
        "links": [link("Storage", "storage"), *(_table_link(each) for each in ids if each in asked)],
    }


def _table_link(table_id: str) -> JsonObject:
    bucket, name = table_id.rsplit(".", 1)
    return link(f"Table: {name}", f"storage/{bucket}/table/{name}")


def _query_data(project: Project, given: JsonObject) -> Any:
    sql = given["sql_query"]
    result = run_query(project, sql, limit=rows_asked_for(sql))
    answer: JsonObject = {"query_name": given["query_name"], "csv_data": to_csv(result.columns, result.rows)}
    if result.cut:
        answer["message"] = f"Only the first {len(result.rows):,} rows are shown; there are more."
    return answer


def to_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Every cell in quotes, as the Keboola server writes it. Blobs as hexadecimal digits."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[_cell(cell) for cell in row] for row in rows])
    return out.getvalue()


def _cell(cell: Any) -> Any:
    if isinstance(cell, bytes):
        return cell.hex()
    return "" if cell is None else cell


def _update_descriptions(project: Project, given: JsonObject) -> Any:
    results: list[JsonObject] = []
    for update in given["updates"]:
        item, text = update.get("item_id"), update.get("description")
        if not isinstance(item, str) or not isinstance(text, str):
            results.append({"item_id": item, "success": False, "error": "item_id and description are texts"})
            continue
        try:
            catalog.describe(project, item, text)
        except NotPossible as error:
            results.append({"item_id": item, "success": False, "error": str(error)})
        else:
            results.append({"item_id": item, "success": True, "timestamp": stamp(project.now())})
    good = sum(result["success"] for result in results)
    return {
        "results": results,
        "total_processed": len(results),
        "successful": good,
        "failed": len(results) - good,
    }


def _create_bucket(project: Project, given: JsonObject) -> Any:
    bucket = catalog.create_bucket(
        project, given["name"], given.get("stage") or "in", given.get("description") or ""
    )
    return bucket | {"links": [link(f"Bucket: {bucket['id']}", f"storage/{bucket['id']}")]}


def _search(project: Project, given: JsonObject) -> Any:
    patterns = [_pattern(text, given.get("mode") or "literal") for text in texts(given, "patterns")]
    kinds = texts(given, "item_types")
    hits: list[JsonObject] = []
    for kind, name, fields in _everything(project):
        if kinds and kind not in kinds:
            continue
        text = " ".join(str(value) for value in (name, *fields.values()))
        matches = [pattern.pattern for pattern in patterns if pattern.search(text)]
        if matches:
            hits.append({"item_type": kind, "name": name, **fields, "matches": matches})
    if not hits and (not kinds or "table" in kinds):
        # A near miss is worth more to the one who asks than nothing.
        near = (nearest(text, catalog.table_ids(project)) for text in texts(given, "patterns"))
        hits = [
            {
                "item_type": "table",
                "name": table.rsplit(".", 1)[1],
                "table_id": table,
                "matches": [],
                "near": True,
            }
            for table in near
            if table is not None
        ]
    limit = given.get("limit") or HITS_LIMIT
    return {"hits": hits[:limit], "total": len(hits), "branch_scope": "main"}


def _pattern(text: str, mode: str) -> re.Pattern[str]:
    try:
        return re.compile(text if mode == "regex" and len(text) < 200 else re.escape(text), re.IGNORECASE)
    except re.error:
        raise NotPossible(f"{text!r} is no regular expression.") from None


def _everything(project: Project) -> list[tuple[str, str, JsonObject]]:
    found: list[tuple[str, str, JsonObject]] = []
    for bucket in catalog.buckets(project):
        found.append(
            (
                "bucket",
                bucket["name"],
                {"bucket_id": bucket["id"], "description": bucket.get("description", "")},
            )
        )
    for table in catalog.tables(project, catalog.table_ids(project)):
        found.append(
            ("table", table["name"], {"table_id": table["id"], "description": table.get("description", "")})
        )
    for config in configs.configs(project):
        ids = {name: config[name] for name in ("component_id", "configuration_id", "description")}
        found.append((_kind(config["component_id"]), config["name"], ids))
    return found


def _kind(component_id: str) -> str:
    component = configs.component(component_id)
    if component is None or component.type in ("extractor", "writer"):
        return "configuration"
    return "transformation" if component.type == "transformation" else "flow"


TOOLS = (
    Tool("get_project_info", "Name, description and SQL dialect of the project.", True, _get_project_info),
    Tool(
        "get_buckets",
        "Lists the buckets, or shows some of them.",
        True,
        _get_buckets,
        {"bucket_ids": Argument("strings")},
    ),
    Tool(
        "get_tables",
        "Shows tables with their columns: all, those of some buckets, or some by id.",
        True,
        _get_tables,
        {
            "bucket_ids": Argument("strings"),
            "table_ids": Argument("strings"),
            "include_usage": Argument("boolean"),
        },
    ),
    Tool(
        "query_data",
        "Runs a SELECT on the project's data.",
        True,
        _query_data,
        {"sql_query": Argument("string", required=True), "query_name": Argument("string", required=True)},
    ),
    Tool(
        "search",
        "Finds buckets, tables, configurations and flows by words in their names and descriptions.",
        True,
        _search,
        {
            "patterns": Argument("strings", required=True),
            "item_types": Argument("strings"),
            "mode": Argument("string", choices=("regex", "literal")),
            "limit": Argument("integer"),
        },
    ),
    Tool(
        "update_descriptions",
        "Sets the descriptions of buckets, tables and columns.",
        False,
        _update_descriptions,
        {"updates": Argument("objects", required=True)},
    ),
    Tool(
        "update_project_description",
        "Sets the description of the project.",
        False,
        _update_project_description,
        {"description": Argument("string", required=True)},
    ),
    Tool(
        "create_bucket",
        "Makes an empty bucket.",
        False,
        _create_bucket,
        {
            "name": Argument("string", required=True),
            "stage": Argument("string", choices=("in", "out")),
            "description": Argument("string"),
        },
    ),
)

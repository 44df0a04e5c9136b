"""A question of every kind: a call of each tool that writes, with what is there now where somebody would know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kai_tui.conversation.reviews.review import Present, Presents
from kai_tui.conversation.reviews.reviewing import wanted

NOW = 1_763_800_000.0
"""Seconds since the epoch at which all of them are asked."""
MYSQL = {"component_id": "keboola.ex-db-mysql", "configuration_id": "7001"}


@dataclass(frozen=True, slots=True)
class AskedTool:
    tool: str
    input: Any
    now: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What is there now, by what is `Wanted`."""
    source: str = "project"

    @property
    def presents(self) -> Presents:
        """Everything in `now` that the question is about, three minutes old."""
        return {
            each: Present(self.now[each.what], self.source, NOW - 180)  # type: ignore[arg-type]
            for each in wanted(self.tool, self.input)
            if each.what in self.now
        }


_MYSQL_NOW = {
    "name": "Orders from the shop",
    "description": "Every night.",
    "parameters": {
        "db": {"host": "old.shop.example", "port": 3306, "#password": "KBC::ProjectSecure::abc"},
        "tables": ["orders", "customers"],
        "incremental": True,
        "query": "SELECT *\nFROM orders\nWHERE day > current_date - 7",
    },
    "storage": {"input": {"tables": [{"source": "in.c-crm.orders", "destination": "orders.csv"}]}},
    "rows": [{"id": "11", "name": "Orders", "parameters": {"limit": 5}, "is_disabled": False}],
}
_BLOCKS = [
    {
        "name": "Prepare",
        "codes": [
            {
                "name": "Clean",
                "script": [
                    'CREATE TABLE "clean" AS\nSELECT id, amount -- all of them\nFROM "in.c-shop"."orders"\n'
                    "WHERE status <> 'cancelled';"
                ],
            }
        ],
    },
    {"name": "Report", "codes": [{"name": "Sum", "script": ["SELECT sum(amount) FROM clean;"]}]},
]
_TRANSFORMATION = {"name": "Revenue", "parameters": {"blocks": _BLOCKS}}
_PHASES = [
    {"id": 1, "name": "Extract"},
    {"id": 2, "name": "Transform", "dependsOn": [1]},
]
_TASKS = [
    {
        "id": 10,
        "name": "Shop",
        "phase": 1,
        "task": {"componentId": "keboola.ex-db-mysql", "configId": "7001"},
    },
    {
        "id": 11,
        "name": "Revenue",
        "phase": 2,
        "enabled": False,
        "task": {"componentId": "keboola.snowflake-transformation", "configId": "900"},
    },
]
_FLOW_NOW = {"name": "Night", "phases": _PHASES[:1], "tasks": _TASKS[:1]}
_FLOW = {
    "configuration_id": "5",
    "flow_type": "keboola.flow",
    "change_description": "Revenue runs at night, too",
}
_SOURCE = 'import streamlit as st\n\nst.title("Sales")\nst.bar_chart(load("orders"))\n'
_STORAGE = {
    "input": {"tables": [{"source": "in.c-shop.orders", "destination": "orders"}]},
    "output": {
        "tables": [
            {
                "source": "revenue",
                "destination": "out.c-reporting.revenue",
                "incremental": True,
                "primary_key": ["region", "month"],
            }
        ]
    },
}

ASKED: Mapping[str, AskedTool] = {
    "update_descriptions": AskedTool(
        "update_descriptions",
        {
            "updates": [
                {
                    "item_id": "in.c-crm.customers",
                    "description": "One row per customer.\nLoaded every day at 06:00.\nOwner: Anna",
                },
                {
                    "item_id": "in.c-crm.customers.email",
                    "description": "Where invoices go. Not always checked.",
                },
            ]
        },
        {"description": "One row per customer.\nLoaded every day at 05:00.\nOwner: Anna"},
    ),
    "update_project_description": AskedTool(
        "update_project_description",
        {"description": "# Acme\n\nSales and support of Acme in Europe."},
        {"description": "# Acme\n\nSales of Acme."},
    ),
    "run_job": AskedTool(
        "run_job",
        MYSQL,
        {
            "configuration": _MYSQL_NOW,
            "jobs": [
                {
                    "id": "9",
                    "status": "error",
                    "created": "2025-11-21T05:00:00Z",
                    "seconds": 61,
                    "message": "No such host",
                },
                {"id": "8", "status": "success", "created": "2025-11-20T05:00:00Z", "seconds": 244},
            ],
        },
    ),
    "create_bucket": AskedTool("create_bucket", {"name": "reports", "stage": "out"}),
    "create_config": AskedTool(
        "create_config",
        {
            "name": "Orders from the shop",
            "description": "Every night.",
            "component_id": "keboola.ex-db-mysql",
            "parameters": {"db": {"host": "shop.example", "#password": "hunter2"}, "tables": ["orders"]},
            "storage": _STORAGE,
        },
    ),
    "add_config_row": AskedTool(
        "add_config_row",
        MYSQL | {"name": "Customers", "description": "", "parameters": {"table": "customers", "limit": 100}},
    ),
    "update_config": AskedTool(
        "update_config",
        MYSQL
        | {
            "change_description": "The shop moved to another host",
            "parameter_updates": [
                {"op": "set", "path": "db.host", "value": "new.shop.example"},
                {"op": "list_append", "path": "tables", "value": "refunds"},
                {"op": "str_replace", "path": "query", "search_for": "- 7", "replace_with": "- 30"},
                {"op": "remove", "path": "incremental"},
            ],
            "storage": _STORAGE,
        },
        {"configuration": _MYSQL_NOW},
    ),
    "update_config_row": AskedTool(
        "update_config_row",
        MYSQL
        | {
            "configuration_row_id": "11",
            "change_description": "Not needed any more",
            "parameter_updates": [{"op": "set", "path": "limit", "value": 50}],
            "is_disabled": True,
        },
        {"configuration": _MYSQL_NOW["rows"][0]},  # type: ignore[index]
    ),
    "create_sql_transformation": AskedTool(
        "create_sql_transformation",
        {
            "name": "Revenue",
            "description": "Per region and month",
            "sql_code_blocks": [
                {
                    "name": "Clean",
                    "script": 'DELETE FROM "clean";\nINSERT INTO "clean" SELECT * FROM "orders";',
                },
                {"name": "Sum", "script": "SELECT region, sum(amount) AS amount\nFROM clean GROUP BY 1;"},
            ],
            "created_table_names": ["revenue"],
        },
    ),
    "update_sql_transformation": AskedTool(
        "update_sql_transformation",
        {
            "configuration_id": "900",
            "change_description": "Only what was paid",
            "parameter_updates": [
                {
                    "op": "set_code",
                    "block_id": "b0",
                    "code_id": "b0.c0",
                    "script": 'CREATE TABLE "clean" AS\nSELECT id, region, amount\nFROM "in.c-shop"."orders"\n'
                    "WHERE status = 'paid';",
                },
                {"op": "remove_block", "block_id": "b1"},
            ],
        },
        {"configuration": _TRANSFORMATION},
        "chat",
    ),
    "create_flow": AskedTool(
        "create_flow", {"name": "Night", "description": "All of it", "phases": _PHASES, "tasks": _TASKS}
    ),
    "create_conditional_flow": AskedTool(
        "create_conditional_flow",
        {
            "name": "Night",
            "description": "",
            "phases": [
                {"id": "a", "name": "Extract", "next": [{"id": "n", "goto": "b"}]},
                {"id": "b", "name": "Transform", "next": [{"id": "m", "goto": None}]},
            ],
            "tasks": [{"id": "t", "name": "Shop", "phase": "a", "task": _TASKS[0]["task"]}],
        },
    ),
    "update_flow": AskedTool(
        "update_flow", _FLOW | {"phases": _PHASES, "tasks": _TASKS}, {"configuration": _FLOW_NOW}
    ),
    "modify_flow": AskedTool(
        "modify_flow",
        _FLOW
        | {
            "schedules": [
                {"action": "add", "cronTab": "0 5 * * *", "timezone": "Europe/Prague", "state": "enabled"},
                {"action": "remove", "scheduleId": "77"},
            ]
        },
        {"configuration": _FLOW_NOW},
    ),
    "modify_streamlit_data_app": AskedTool(
        "modify_streamlit_data_app",
        {
            "name": "Sales",
            "description": "Chart",
            "source_code": _SOURCE.replace("orders", "refunds"),
            "packages": ["pandas"],
            "authentication_type": "no-auth",
            "configuration_id": "42",
            "change_description": "Refunds instead of orders",
        },
        {"source": _SOURCE},
    ),
    "modify_python_js_data_app": AskedTool(
        "modify_python_js_data_app",
        {
            "name": "Portal",
            "description": "For customers",
            "slug": "portal",
            "auto_suspend_after_seconds": 1800,
        },
    ),
    "delete_python_js_data_app_draft": AskedTool(
        "delete_python_js_data_app_draft", {"configuration_id": "01h-draft"}
    ),
    "deploy_data_app": AskedTool("deploy_data_app", {"action": "stop", "configuration_id": "42"}),
    "create_python_js_data_app_git_credential": AskedTool(
        "create_python_js_data_app_git_credential", {"configuration_id": "42"}
    ),
    "create_oauth_url": AskedTool(
        "create_oauth_url", {"component_id": "keboola.ex-google-drive", "config_id": "7002"}
    ),
    "link_shared_bucket": AskedTool(
        "link_shared_bucket",
        {
            "source_project_id": 1234,
            "source_bucket_id": "out.c-finance",
            "target_bucket_name": "finance",
            "target_stage": "in",
        },
    ),
    "query_data": AskedTool(
        "query_data",
        {
            "query_name": "Sales",
            "sql_query": 'SELECT region, sum(amount)\nFROM "in.c-shop"."orders"\nGROUP BY 1',
        },
    ),
    "run_sync_action": AskedTool("run_sync_action", MYSQL | {"action_name": "testConnection"}),
    "request_credentials": AskedTool("request_credentials", {"component_id": "keboola.ex-db-mysql"}),
    "unknown": AskedTool(
        "mend_everything",
        {
            "justification": "Somebody asked for it",
            "target": "in.c-shop.orders",
            "script": "import os\n\nfor name in os.listdir():\n    print(name)",
            "options": {"force": True, "#token": "hunter2"},
        },
    ),
}

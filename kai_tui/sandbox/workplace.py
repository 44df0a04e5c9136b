"""How Alder & Finch uses its project: components, configurations, flows and how their jobs went."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from kai_tui.sandbox.company import CUSTOMER_VALUE_SQL, MONTHLY_SALES_SQL

JsonObject: TypeAlias = dict[str, Any]
Outcome: TypeAlias = Literal["success", "warning", "error"]

CRM = ("kds-team.ex-hubspot-crm", "4101")
SHOP = ("keboola.ex-db-mysql", "4102")
SUPPORT = ("kds-team.ex-zendesk", "4103")
REPORTING = ("keboola.snowflake-transformation", "4201")
SHEET = ("keboola.wr-google-sheets", "4301")
DAILY = ("keboola.orchestrator", "5001")
MONDAY = ("keboola.flow", "5002")

FLOW_COMPONENTS = ("keboola.orchestrator", "keboola.flow")
TRANSFORMATION = REPORTING[0]

EXPIRED_SECRET = "KBC::ProjectSecure::expired-sandbox-token"  # noqa: S105 - stands for a secret, is none
EXPIRED_MESSAGE = (
    "401 Unauthorized: the support desk does not accept the API token any more (expired). "
    "Set a new #api_token in the configuration."
)


@dataclass(frozen=True, slots=True)
class Component:
    """A component of the platform."""

    id: str
    name: str
    type: Literal["extractor", "transformation", "writer", "other"]
    description: str


COMPONENTS = (
    Component(CRM[0], "HubSpot CRM", "extractor", "Loads contacts and deals from a CRM."),
    Component(SHOP[0], "MySQL", "extractor", "Loads tables from a MySQL database."),
    Component(SUPPORT[0], "Zendesk", "extractor", "Loads tickets from a support desk."),
    Component(REPORTING[0], "Snowflake SQL transformation", "transformation", "Runs SQL on tables."),
    Component(SHEET[0], "Google Sheets", "writer", "Writes tables to a spreadsheet."),
    Component(DAILY[0], "Flow", "other", "Runs configurations in phases."),
    Component(MONDAY[0], "Conditional flow", "other", "Runs configurations in phases, with conditions."),
)


@dataclass(frozen=True, slots=True)
class Config:
    """One configuration, as a fresh project has it."""

    key: tuple[str, str]
    name: str
    description: str
    parameters: JsonObject
    storage: JsonObject = field(default_factory=dict[str, Any])
    rows: tuple[JsonObject, ...] = ()


def _task(number: int, phase: int, key: tuple[str, str], *, goes_on: bool = False) -> JsonObject:
    return {
        "id": number,
        "name": key[1],
        "phase": phase,
        "enabled": True,
        "continueOnFailure": goes_on,
        "task": {"componentId": key[0], "configId": key[1], "mode": "run"},
    }


CONFIGS = (
    Config(
        CRM,
        "CRM extract",
        "Customers and deals, every morning.",
        {
            "account": "alder-finch",
            "objects": ["customers", "deals"],
            "#api_token": "KBC::ProjectSecure::crm",
        },
    ),
    Config(
        SHOP,
        "Web shop database",
        "Orders, items, products and regions.",
        {
            "db": {
                "host": "shop-db.alderfinch.example",
                "database": "shop",
                "user": "kai",
                "#password": "KBC::ProjectSecure::shop",
            },
        },
        rows=tuple(
            {"id": f"r{number}", "name": name, "parameters": {"table": name, "incremental": name == "orders"}}
            for number, name in enumerate(("orders", "order_items", "products", "regions"), start=1)
        ),
    ),
    Config(
        SUPPORT,
        "Support desk",
        "Tickets of the support desk. Its token expired.",
        {"subdomain": "alderfinch", "since": "90 days ago", "#api_token": EXPIRED_SECRET},
    ),
    Config(
        REPORTING,
        "Sales reporting",
        "Makes the two tables of out.c-reporting.",
        {
            "blocks": [
                {
                    "name": "Report tables",
                    "codes": [
                        {
                            "name": "monthly_sales",
                            "script": [f'CREATE TABLE "monthly_sales" AS\n{MONTHLY_SALES_SQL};'],
                        },
                        {
                            "name": "customer_value",
                            "script": [f'CREATE TABLE "customer_value" AS\n{CUSTOMER_VALUE_SQL};'],
                        },
                    ],
                }
            ]
        },
        {
            "input": {
                "tables": [
                    {"source": "in.c-shop.orders", "destination": "orders"},
                    {"source": "in.c-crm.customers", "destination": "customers"},
                ]
            },
            "output": {
                "tables": [
                    {"source": name, "destination": f"out.c-reporting.{name}", "incremental": False}
                    for name in ("monthly_sales", "customer_value")
                ]
            },
        },
    ),
    Config(
        SHEET,
        "Weekly sales sheet",
        "Writes monthly_sales to the sheet the managers open on Monday.",
        {"sheet": "Sales by region", "tab": "current"},
        {
            "input": {
                "tables": [{"source": "out.c-reporting.monthly_sales", "destination": "monthly_sales.csv"}]
            }
        },
    ),
    Config(
        DAILY,
        "Daily refresh",
        "Everything, every morning at 06:00.",
        {
            "phases": [
                {"id": 1, "name": "Extract", "dependsOn": []},
                {"id": 2, "name": "Transform", "dependsOn": [1]},
                {"id": 3, "name": "Deliver", "dependsOn": [2]},
            ],
            "tasks": [
                _task(11, 1, CRM),
                _task(12, 1, SHOP),
                _task(13, 1, SUPPORT, goes_on=True),
                _task(21, 2, REPORTING),
                _task(31, 3, SHEET),
            ],
            "schedules": [
                {"scheduleId": "6001", "timezone": "UTC", "cronTab": "0 6 * * *", "state": "enabled"}
            ],
        },
    ),
    Config(
        MONDAY,
        "Monday report",
        "Reporting and the sheet only, on Mondays.",
        {
            "phases": [
                {"id": "report", "name": "Report", "next": [{"id": "to-sheet", "goto": "sheet"}]},
                {"id": "sheet", "name": "Sheet", "next": []},
            ],
            "tasks": [
                _task(41, 1, REPORTING) | {"phase": "report"},
                _task(42, 2, SHEET) | {"phase": "sheet"},
            ],
            "schedules": [
                {"scheduleId": "6002", "timezone": "UTC", "cronTab": "30 7 * * 1", "state": "enabled"}
            ],
        },
    ),
)


@dataclass(frozen=True, slots=True)
class PastJob:
    """A job that ended before the project was opened."""

    key: tuple[str, str]
    started: datetime
    seconds: int
    outcome: Outcome
    message: str

    @property
    def ended(self) -> datetime:
        return self.started + timedelta(seconds=self.seconds)


_DAYS_OF_JOBS = 14
_SUPPORT_BROKE_DAYS_AGO = 2


def past_jobs(now: datetime) -> Iterator[PastJob]:
    """Two weeks of mornings, oldest first. The support desk fails since its token expired."""
    chance = random.Random(600)  # noqa: S311 - made-up jobs, no secrets
    for ago in range(_DAYS_OF_JOBS, -1, -1):
        start = (now - timedelta(days=ago)).replace(hour=6, minute=0, second=0, microsecond=0)
        if start + timedelta(hours=1) > now:
            continue
        broke = ago <= _SUPPORT_BROKE_DAYS_AGO
        steps: list[tuple[tuple[str, str], int, Outcome, str]] = [
            (CRM, chance.randrange(30, 90), "success", "Loaded 2 tables."),
            (SHOP, chance.randrange(60, 200), "success", "Loaded 4 tables."),
            (
                SUPPORT,
                chance.randrange(4, 40),
                "error" if broke else "success",
                EXPIRED_MESSAGE if broke else "Loaded 1 table.",
            ),
            (REPORTING, chance.randrange(20, 70), "success", "2 tables written to out.c-reporting."),
            (SHEET, chance.randrange(5, 20), "success", "Sheet written."),
        ]
        if ago == 9:
            steps[1] = (SHOP, 611, "error", "Lost connection to MySQL server during query (orders).")
        if ago == 5:
            steps[4] = (
                SHEET,
                12,
                "warning",
                "The sheet was written, but 1 column was renamed there by hand.",
            )
        at = start
        for key, seconds, outcome, message in steps:
            yield PastJob(key, at, seconds, outcome, message)
            at += timedelta(seconds=seconds + 3)
        daily: Outcome = "error" if ago == 9 else "warning" if broke or ago == 5 else "success"
        yield PastJob(
            DAILY,
            start,
            int((at - start).total_seconds()),
            daily,
            "All phases ended." if daily != "error" else "Phase Extract failed.",
        )

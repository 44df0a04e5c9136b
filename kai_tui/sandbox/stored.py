"""What is in the project, in the shapes of the Storage API (`/v2/storage`), to be looked at only.

Descriptions are metadata there (`KBC.description`, of the project `KBC.projectDescription`); what a configuration
does is in its `configuration`, and so it is in each of its rows.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from kai_tui.sandbox import catalog, configs
from kai_tui.sandbox.project import Project
from kai_tui.sandbox.workplace import COMPONENTS, FLOW_COMPONENTS

JsonObject: TypeAlias = dict[str, Any]

DESCRIPTION = "KBC.description"
PROJECT_DESCRIPTION = "KBC.projectDescription"
_CREATOR = {"id": 1, "description": "Sandbox token"}


def _metadata(project: Project, key: str, value: str) -> list[JsonObject]:
    """As the Storage API lists it: nothing at all where nobody said anything."""
    if not value:
        return []
    return [
        {"id": "1", "key": key, "value": value, "provider": "user", "timestamp": project.fact("created")},
    ]


def project_metadata(project: Project) -> list[JsonObject]:
    """`GET /v2/storage/branch/{id}/metadata`."""
    return _metadata(project, PROJECT_DESCRIPTION, project.fact("description"))


def bucket(project: Project, bucket_id: str) -> JsonObject | None:
    """`GET /v2/storage/buckets/{id}`; None when there is none."""
    found = catalog.buckets(project, [bucket_id])
    return _bucket(project, found[0]) if found else None


def buckets(project: Project) -> list[JsonObject]:
    """`GET /v2/storage/buckets`."""
    return [_bucket(project, row) for row in catalog.buckets(project)]


def _bucket(project: Project, row: JsonObject) -> JsonObject:
    return {
        "id": row["id"],
        "name": row["name"],
        "displayName": row["display_name"],
        "stage": row["stage"],
        "description": "",
        "created": row["created"],
        "dataSizeBytes": row["data_size_bytes"],
        "backend": "sqlite",
        "metadata": _metadata(project, DESCRIPTION, row.get("description", "")),
    }


def table(project: Project, table_id: str) -> JsonObject | None:
    """`GET /v2/storage/tables/{id}`; None when there is none."""
    found = catalog.tables(project, [table_id])
    if not found:
        return None
    row = found[0]
    described = {column["name"]: column.get("description", "") for column in row["columns"]}
    return {
        "id": row["id"],
        "name": row["name"],
        "displayName": row["display_name"],
        "primaryKey": row["primary_key"],
        "created": row["created"],
        "lastImportDate": row["last_import"],
        "rowsCount": row["rows_count"],
        "dataSizeBytes": row["data_size_bytes"],
        "isAlias": False,
        "columns": list(described),
        "bucket": bucket(project, row["bucket_id"]),
        "metadata": _metadata(project, DESCRIPTION, row.get("description", "")),
        "columnMetadata": {
            name: _metadata(project, DESCRIPTION, text) for name, text in described.items() if text
        },
    }


def component(component_id: str) -> JsonObject | None:
    """`GET /v2/storage/components/{id}`; None when there is none."""
    each = configs.component(component_id)
    if each is None:
        return None
    return {"id": each.id, "name": each.name, "type": each.type, "description": each.description, "flags": []}


def components(project: Project) -> list[JsonObject]:
    """`GET /v2/storage/components`: each with its configurations, of which only the outside is there."""
    return [
        found
        | {
            "configurations": [
                {
                    name: value
                    for name, value in shown(config).items()
                    if name not in ("configuration", "rows", "state", "rowsSortOrder")
                }
                for config in configs.configs(project, [each.id])
            ]
        }
        for each in COMPONENTS
        if (found := component(each.id)) is not None
    ]


def tables(project: Project) -> list[JsonObject]:
    """`GET /v2/storage/tables`, without columns and metadata."""
    listed = [found for each in catalog.table_ids(project) if (found := table(project, each)) is not None]
    return [
        {name: value for name, value in each.items() if name not in ("columns", "metadata", "columnMetadata")}
        for each in listed
    ]


def configuration(project: Project, component_id: str, config_id: str) -> JsonObject | None:
    """`GET …/components/{component}/configs/{id}`; None when there is none."""
    found = configs.config(project, (component_id, config_id))
    return shown(found) if found is not None else None


def version(project: Project, component_id: str, config_id: str, number: str) -> JsonObject | None:
    """`GET …/configs/{id}/versions/{version}`; None when there is none."""
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return None
    found = configs.version(project, (component_id, config_id), int(number))
    return shown(found) if found is not None else None


def configurations(project: Project, component_id: str) -> list[JsonObject]:
    """`GET …/components/{component}/configs`."""
    return [shown(found) for found in configs.configs(project, [component_id])]


def row(project: Project, component_id: str, config_id: str, row_id: str) -> JsonObject | None:
    """`GET …/configs/{id}/rows/{row}`; None when there is none."""
    found = configuration(project, component_id, config_id)
    rows: list[JsonObject] = found["rows"] if found is not None else []
    return next((each for each in rows if each["id"] == row_id), None)


def shown(config: JsonObject) -> JsonObject:
    """A configuration of `configs.py` as the Storage API has it."""
    inner: JsonObject = {"parameters": config["parameters"]}
    if config["component_id"] in FLOW_COMPONENTS:
        # The phases and tasks of a flow are no parameters.
        inner = dict(config["parameters"])
    if config["storage"]:
        inner["storage"] = config["storage"]
    return {
        "id": config["configuration_id"],
        "name": config["name"],
        "description": config["description"],
        "created": config["created"],
        "creatorToken": _CREATOR,
        "version": config["version"],
        "changeDescription": config["change_description"],
        "isDisabled": bool(config.get("is_disabled")),
        "isDeleted": False,
        "configuration": inner,
        "rowsSortOrder": [],
        "rows": [
            {
                "id": str(each.get("id", "")),
                "name": each.get("name", ""),
                "description": each.get("description", ""),
                "isDisabled": bool(each.get("is_disabled")),
                "version": 1,
                "changeDescription": "",
                "configuration": {
                    name: value
                    for name, value in each.items()
                    if name not in ("id", "name", "description", "is_disabled")
                },
                "state": {},
            }
            for each in config["rows"]
        ],
        "state": {},
        "currentVersion": {
            "created": config["updated"],
            "creatorToken": _CREATOR,
            "changeDescription": config["change_description"],
        },
    }

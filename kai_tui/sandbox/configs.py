"""Configurations of components, flows among them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

from kai_tui.sandbox.parameters import apply_operations
from kai_tui.sandbox.project import NotPossible, Project, stamp, to_json, whole
from kai_tui.sandbox.workplace import COMPONENTS, Component

JsonObject: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, str]


KEPT_VERSIONS = 50
"""Earlier versions of each configuration."""


def component(component_id: str) -> Component | None:
    """A component by its id."""
    return next((each for each in COMPONENTS if each.id == component_id), None)


def configs(project: Project, component_ids: Sequence[str] = ()) -> list[JsonObject]:
    """All configurations with everything in them, or those of some components."""
    with project.look() as connection:
        rows = connection.execute("SELECT * FROM kai_configs ORDER BY id, component_id").fetchall()
    return [_shown(row) for row in rows if not component_ids or row["component_id"] in component_ids]


def config(project: Project, key: Key) -> JsonObject | None:
    """One configuration with everything in it."""
    with project.look() as connection:
        row = connection.execute("SELECT * FROM kai_configs WHERE component_id=? AND id=?", key).fetchone()
    return _shown(row) if row is not None else None


def name_of(project: Project, key: Key) -> str:
    """What people call a configuration; its id when it is not there."""
    found = config(project, key)
    return found["name"] if found is not None else f"{key[0]} / {key[1]}"


def _shown(row: sqlite3.Row) -> JsonObject:
    return {
        "component_id": row["component_id"],
        "configuration_id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "version": row["version"],
        "change_description": row["change_description"],
        "created": row["created"],
        "updated": row["updated"],
        "parameters": json.loads(row["parameters"]),
        "storage": json.loads(row["storage"]),
        "rows": json.loads(row["rows"]),
    }


def version(project: Project, key: Key, number: int) -> JsonObject | None:
    """A configuration as it was in a version; None when that is not kept any more."""
    now = config(project, key)
    if now is None or now["version"] == number:
        return now
    with project.look() as connection:
        _keep_versions(connection)
        row = connection.execute(
            "SELECT shown FROM kai_config_versions WHERE component_id=? AND id=? AND version=?",
            (*key, number),
        ).fetchone()
    return json.loads(row["shown"]) if row is not None else None


def _keep_versions(connection: sqlite3.Connection) -> None:
    """Projects of earlier releases have no place for versions yet."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS kai_config_versions("
        "component_id TEXT, id TEXT, version INTEGER, shown TEXT NOT NULL, PRIMARY KEY(component_id, id, version))"
    )


def create(
    project: Project,
    component_id: str,
    name: str,
    description: str,
    parameters: JsonObject,
    storage: JsonObject | None = None,
) -> JsonObject:
    """Make a configuration; answers with it. Raises NotPossible."""
    if component(component_id) is None:
        known = ", ".join(each.id for each in COMPONENTS)
        raise NotPossible(f"There is no component {component_id} in this sandbox. There are: {known}.")
    now = stamp(project.now())
    with project.change() as connection:
        newest = connection.execute("SELECT max(CAST(id AS INTEGER)) FROM kai_configs").fetchone()[0]
        config_id = str(max(newest or 0, 7000) + 1)
        connection.execute(
            "INSERT INTO kai_configs VALUES(?, ?, ?, ?, ?, ?, '[]', 1, 'Created', ?, ?)",
            (
                component_id,
                config_id,
                whole(name),
                whole(description),
                to_json(parameters),
                to_json(storage or {}),
                now,
                now,
            ),
        )
    return cast("JsonObject", config(project, (component_id, config_id)))


def update(
    project: Project,
    key: Key,
    change_description: str,
    *,
    name: str = "",
    description: str = "",
    operations: Sequence[JsonObject] = (),
    storage: JsonObject | None = None,
) -> JsonObject:
    """Change a configuration; empty name and description keep what is there. Answers with it.

    Raises NotPossible; nothing is changed then.
    """
    with project.change() as connection:
        old = config(project, key)
        if old is None:
            raise NotPossible(f"There is no configuration {key[1]} of {key[0]}.")
        try:
            parameters = apply_operations(old["parameters"], operations)
        except ValueError as error:
            raise NotPossible(str(error)) from None
        _keep_versions(connection)
        connection.execute(
            "INSERT OR REPLACE INTO kai_config_versions VALUES(?, ?, ?, ?)",
            (*key, old["version"], to_json(old)),
        )
        connection.execute(
            "DELETE FROM kai_config_versions WHERE component_id=? AND id=? AND version<=?",
            (*key, old["version"] - KEPT_VERSIONS),
        )
        connection.execute(
            "UPDATE kai_configs SET name=?, description=?, parameters=?, storage=?, version=version+1, "
            "change_description=?, updated=? WHERE component_id=? AND id=?",
            (
                whole(name) or old["name"],
                whole(description) or old["description"],
                to_json(parameters),
                to_json(old["storage"] if storage is None else storage),
                whole(change_description),
                stamp(project.now()),
                *key,
            ),
        )
    return cast("JsonObject", config(project, key))

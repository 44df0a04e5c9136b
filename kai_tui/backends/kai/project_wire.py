"""What the Storage API and the job queue say about a project, in the shapes `Wanted` promises.

Their protocols are public (developers.keboola.com); the field names here are those their own clients read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import Field

from kai_tui.backends.kai import wire
from kai_tui.backends.project import Job
from kai_tui.backends.tolerant import Count, Fields, Flag, Number, Rows, Text, WireModel
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.project_objects import ProjectObject, is_plain_id, sort_of_component

DESCRIPTION = "KBC.description"
PROJECT_DESCRIPTION = "KBC.projectDescription"
FINISHED = frozenset({"success", "warning", "error", "cancelled", "terminated"})
"""Statuses of a job after which there is no other one."""


class MetadataRow(WireModel):
    """One entry of an object's metadata."""

    key: Text = None
    value: Text = None
    provider: Text = None
    timestamp: Text = None


class Described(WireModel):
    """A bucket or a table. Older stacks had a description of the bucket itself."""

    description: Text = None
    metadata: Rows = Field(default_factory=list[Any])
    column_metadata: Fields = None
    columns: Rows = Field(default_factory=list[Any])


class Configuration(WireModel):
    """A configuration, or a row of one: what it does is in `configuration`."""

    id: Text = None
    name: Text = None
    description: Text = None
    version: Number = None
    change_description: Text = None
    is_disabled: Flag = None
    configuration: Fields = None
    rows: Rows = Field(default_factory=list[Any])


class JobAnswer(WireModel):
    """A job of the queue; some answers name component and configuration one way, some the other."""

    id: Text = None
    status: Text = None
    is_finished: Flag = None
    component: Text = None
    component_id: Text = None
    config: Text = None
    config_id: Text = None
    created_time: Text = None
    start_time: Text = None
    end_time: Text = None
    duration_seconds: Number = None
    result: Fields = None
    project: Fields = None
    branch_id: Text = None


class StoredRow(WireModel):
    """A bucket or a table in a list of them."""

    id: Text = None
    name: Text = None
    display_name: Text = None
    rows_count: Count = None
    data_size_bytes: Count = None


class ComponentRow(WireModel):
    """A component in the list of those that have configurations, with them."""

    id: Text = None
    type: Text = None
    configurations: Rows = Field(default_factory=list[Any])


class ConfigurationRow(WireModel):
    """A configuration in such a list."""

    id: Text = None
    name: Text = None
    is_deleted: Flag = None


def buckets_of(rows: Sequence[Any]) -> list[ProjectObject]:
    """A list of buckets."""
    return [
        ProjectObject("bucket", row.id, row.display_name or row.name or "", None, row.data_size_bytes)
        for row in wire.read_rows(StoredRow, rows)
        if row.id and is_plain_id(row.id)
    ]


def tables_of(rows: Sequence[Any]) -> list[ProjectObject]:
    """A list of tables."""
    return [
        ProjectObject(
            "table", row.id, row.display_name or row.name or "", row.rows_count, row.data_size_bytes
        )
        for row in wire.read_rows(StoredRow, rows)
        if row.id and is_plain_id(row.id)
    ]


def configurations_of(rows: Sequence[Any]) -> list[ProjectObject]:
    """A list of components with their configurations; a configuration is named with its component."""
    return [
        ProjectObject(
            sort_of_component(component.id, component.type or ""),
            f"{component.id}/{each.id}",
            each.name or "",
        )
        for component in wire.read_rows(ComponentRow, rows)
        if component.id and is_plain_id(component.id)
        for each in wire.read_rows(ConfigurationRow, component.configurations)
        if each.id and is_plain_id(each.id) and not each.is_deleted
    ]


def described(rows: Sequence[Any], key: str = DESCRIPTION) -> str | None:
    """The value of a key in a list of metadata: the user's own before what components wrote, the newest first."""
    found = [row for row in wire.read_rows(MetadataRow, rows) if row.key == key and row.value is not None]
    best = max(found, key=lambda row: (row.provider == "user", row.timestamp or ""), default=None)
    return best.value if best is not None else None


def description_of(answer: Described) -> str:
    """The description of a bucket or a table; empty when it has none."""
    said = described(answer.metadata)
    return said if said is not None else answer.description or ""


def description_of_column(answer: Described, column: str) -> str | None:
    """Empty when it has none; None when there is no such column."""
    rows = (answer.column_metadata or {}).get(column)
    if isinstance(rows, list):
        return described(cast("list[Any]", rows)) or ""
    return "" if column in answer.columns else None


def configuration_value(answer: Configuration, component_id: str) -> JsonObject:
    """A configuration as `Wanted` says it."""
    rows = [_value(row) for row in wire.read_rows(Configuration, answer.rows)]
    return {"component_id": component_id, "configuration_id": answer.id or "", **_value(answer), "rows": rows}


def row_value(answer: Configuration) -> JsonObject:
    """A row of a configuration as `Wanted` says it."""
    return _value(answer)


def _value(answer: Configuration) -> JsonObject:
    said: Mapping[str, Any] = {
        "id": answer.id,
        "name": answer.name,
        "description": answer.description,
        "version": int(answer.version) if answer.version is not None else None,
        "change_description": answer.change_description,
        "is_disabled": answer.is_disabled,
    }
    inner = {name: value for name, value in (answer.configuration or {}).items() if name not in said}
    return {name: value for name, value in said.items() if value is not None} | inner


def source_value(value: JsonObject) -> str | None:
    """The source of a data app that is kept in its configuration; None when it is not there."""
    parameters = value.get("parameters")
    script: Any = cast("JsonObject", parameters).get("script") if isinstance(parameters, dict) else None
    if isinstance(script, str):
        return script
    if isinstance(script, list) and all(isinstance(line, str) for line in cast("list[Any]", script)):
        return "\n".join(cast("list[str]", script))
    return None


def job_of(answer: JobAnswer, admin: str) -> Job:
    """A job. `admin`: the address of the web interface, empty when nobody knows."""
    status = answer.status or ""
    job_id = answer.id or ""
    message: Any = (answer.result or {}).get("message")
    owner = (answer.project or {}).get("id")
    return Job(
        id=job_id,
        status=status,
        finished=answer.is_finished if answer.is_finished is not None else status in FINISHED,
        component_id=answer.component or answer.component_id or "",
        configuration_id=answer.config or answer.config_id or "",
        created=answer.created_time or "",
        started=answer.start_time or "",
        ended=answer.end_time or "",
        seconds=answer.duration_seconds,
        message=message if isinstance(message, str) else "",
        url=f"{admin}/admin/projects/{owner}/queue/{job_id}" if admin and _plain(owner, job_id) else "",
    )


def _plain(*ids: Any) -> bool:
    """Whether ids are numbers: foreign text does not become part of an address."""
    return all(str(each).isascii() and str(each).isdigit() for each in ids)


def job_value(job: Job) -> JsonObject:
    """A job as `Wanted` says it."""
    return {
        "id": job.id,
        "status": job.status,
        "finished": job.finished,
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
        "seconds": job.seconds,
        "message": job.message,
        "url": job.url,
    }

"""Jobs: past ones, and those started here, which take a few seconds and then really do something."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from kai_tui.sandbox import configs
from kai_tui.sandbox.job_effects import perform, prepare
from kai_tui.sandbox.project import NotPossible, Project, stamp, to_json, whole

JsonObject: TypeAlias = dict[str, Any]

STATUSES = ("waiting", "processing", "success", "error", "created", "warning", "terminating", "cancelled")

_NUMBERS_OF_A_BRANCH = 100_000


def branch_of(job_id: str) -> int | None:
    """The development branch a job with this number was started on; None for main."""
    number = int(job_id) if job_id.isascii() and job_id.isdigit() and len(job_id) < 18 else 0
    return number // _NUMBERS_OF_A_BRANCH or None


def start(project: Project, key: tuple[str, str], row_ids: Sequence[str] = ()) -> JsonObject:
    """Start the job of a configuration; answers with it as it is right after the start. Raises NotPossible."""
    config = configs.config(project, key)
    if config is None:
        raise NotPossible(f"There is no configuration {key[1]} of {key[0]}.")
    unknown = sorted(set(row_ids) - {row.get("id") for row in config["rows"]})
    if unknown:
        raise NotPossible(f"The configuration {config['name']} has no row {', '.join(unknown)}.")
    now = project.now()
    tasks = config["parameters"].get("tasks")
    flow = isinstance(tasks, list)
    ends = now + timedelta(seconds=project.job_seconds * (2 if flow else 1))
    with project.change() as connection:
        # The numbers of a branch lie apart: jobs are asked for by their number alone.
        least = (project.branch_id or 0) * _NUMBERS_OF_A_BRANCH + 1
        job_id = connection.execute(
            "INSERT INTO kai_jobs(id, component_id, config_id, row_ids, created, started, ends, message) "
            "VALUES((SELECT max(coalesce(max(id), 0) + 1, ?) FROM kai_jobs), ?, ?, ?, ?, ?, ?, '')",
            (least, *key, to_json(list(row_ids)), stamp(now), stamp(now), stamp(ends)),
        ).lastrowid
        row = connection.execute("SELECT * FROM kai_jobs WHERE id=?", (job_id,)).fetchone()
    return _shown(project, row) | {"status": "created"}


def finish_due(project: Project) -> None:
    """Do what the jobs do whose time has come."""
    now = stamp(project.now())
    with project.look() as connection:
        due = connection.execute(
            "SELECT * FROM kai_jobs WHERE outcome IS NULL AND ends <= ? ORDER BY ends", (now,)
        ).fetchall()
    for job in due:
        prepared = prepare(project, job)
        # One transaction per job: two programs on one file never do the same job twice.
        with project.change() as connection:
            row = connection.execute(
                "SELECT * FROM kai_jobs WHERE id=? AND outcome IS NULL", (job["id"],)
            ).fetchone()
            if row is not None:
                outcome, message = perform(project, connection, row, prepared)
                connection.execute(
                    "UPDATE kai_jobs SET outcome=?, message=? WHERE id=?",
                    (outcome, whole(message), row["id"]),
                )


def jobs(
    project: Project,
    *,
    ids: Sequence[str] = (),
    status: str = "",
    component_id: str = "",
    config_id: str = "",
    limit: int = 100,
    offset: int = 0,
) -> list[JsonObject]:
    """Jobs, newest first."""
    finish_due(project)
    with project.look() as connection:
        rows = connection.execute("SELECT * FROM kai_jobs ORDER BY created DESC, id DESC").fetchall()
    shown = [_shown(project, row) for row in rows]
    wanted = [
        job
        for job in shown
        if (not ids or job["id"] in ids)
        and (not status or job["status"] == status)
        and (not component_id or job["componentId"] == component_id)
        and (not config_id or job["configId"] == config_id)
    ]
    return wanted[offset : offset + limit]


def _shown(project: Project, row: sqlite3.Row) -> JsonObject:
    finished = row["outcome"] is not None
    started, ends = _moment(row["started"]), _moment(row["ends"])
    job_id = str(row["id"])
    rows = json.loads(row["row_ids"])
    return {
        "id": job_id,
        "status": row["outcome"] if finished else "processing",
        "componentId": row["component_id"],
        "configId": row["config_id"],
        "configName": configs.name_of(project, (row["component_id"], row["config_id"])),
        "isFinished": finished,
        "createdTime": row["created"],
        "startTime": row["started"],
        **({"endTime": row["ends"]} if finished else {}),
        "durationSeconds": int(((ends if finished else project.now()) - started).total_seconds()),
        **({"configRowIds": rows} if rows else {}),
        **({"parentRunId": str(row["parent_id"])} if row["parent_id"] is not None else {}),
        **({"result": {"message": row["message"]}} if finished else {}),
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)

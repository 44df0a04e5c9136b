"""Jobs in the shapes of the job queue's own API (`GET /jobs/{id}`, `GET /search/jobs`), to be looked at only.

Jobs of a branch have numbers of their own: the real queue knows jobs of all branches by their id alone.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from kai_tui.sandbox import branches, jobs
from kai_tui.sandbox.company import PROJECT_ID, PROJECT_NAME
from kai_tui.sandbox.project import Project

JsonObject: TypeAlias = dict[str, Any]


def job(project: Project, job_id: str, base: str) -> JsonObject | None:
    """One job of any branch; None when there is none. `base`: the queue's own address."""
    branch = jobs.branch_of(job_id)
    place = branches.on_branch(project, branch if branch in branches.DEVELOPMENT else None)
    found = jobs.jobs(place, ids=[job_id])
    return _shown(place, found[0], base) if found else None


def search(
    project: Project, base: str, *, component_id: str, config_id: str, limit: int, offset: int
) -> list[JsonObject]:
    """The jobs of a branch, the newest first."""
    found = jobs.jobs(project, component_id=component_id, config_id=config_id, limit=limit, offset=offset)
    return [_shown(project, each, base) for each in found]


def _shown(project: Project, found: JsonObject, base: str) -> JsonObject:
    branch = branches.MAIN_ID if project.branch_id is None else project.branch_id
    return {
        "id": found["id"],
        "runId": f"{found['parentRunId']}.{found['id']}" if "parentRunId" in found else found["id"],
        "parentRunId": found.get("parentRunId", ""),
        "project": {"id": PROJECT_ID, "name": PROJECT_NAME},
        "token": {"id": "1", "description": "Sandbox token"},
        "status": found["status"],
        "desiredStatus": "processing",
        "mode": "run",
        "component": found["componentId"],
        "config": found["configId"],
        "configRowIds": found.get("configRowIds", []),
        "createdTime": found["createdTime"],
        "startTime": found["startTime"],
        "endTime": found.get("endTime"),
        "durationSeconds": found["durationSeconds"],
        "result": found.get("result", {}),
        "isFinished": found["isFinished"],
        "branchId": str(branch),
        "url": f"{base}/jobs/{found['id']}",
    }

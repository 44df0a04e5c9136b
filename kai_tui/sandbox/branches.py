"""The branches of the sandbox's project: main, and two to try changes on."""

from __future__ import annotations

from typing import Any, TypeAlias

from kai_tui.sandbox.project import Project
from kai_tui.sandbox.refusals import bad_request

JsonObject: TypeAlias = dict[str, Any]

MAIN_ID = 20_260
DEVELOPMENT: dict[int, tuple[str, str]] = {
    20_261: ("fix-crm", "Try a repair of the CRM flow"),
    20_262: ("new-reports", "Reports for next year"),
}
"""Number → name and description."""


def listed(project: Project) -> list[JsonObject]:
    """The answer of `GET /v2/storage/dev-branches`."""
    rows = [(MAIN_ID, "Main", "", True)]
    rows += [(number, name, about, False) for number, (name, about) in DEVELOPMENT.items()]
    return [
        {
            "id": number,
            "name": name,
            "description": about,
            "created": project.fact("created"),
            "creatorToken": {"id": 1, "name": "Sandbox token"},
            "isDefault": default,
        }
        for number, name, about, default in rows
    ]


def check(branch_id: int | None) -> None:
    """Raises Refusal for a branch the project does not have."""
    if branch_id is not None and branch_id != MAIN_ID and branch_id not in DEVELOPMENT:
        raise bad_request(f"The project has no branch {branch_id}.")


def on_branch(project: Project, branch_id: int | None) -> Project:
    """The project as it is on a branch: what is changed on one leaves all others as they are. Blocks."""
    if branch_id is None or branch_id == MAIN_ID:
        return project
    return project.branch(branch_id, DEVELOPMENT[branch_id][0])

"""The stack around Kai: the Storage API and the job queue, to be looked at only, and the MCP server's preview.

What clients need of them: kai.md §3, the list of branches, and what tools change (keboola-tools.md §4, §5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from kai_tui.sandbox import branches, previews, queue, stored
from kai_tui.sandbox.answers import JsonAnswer
from kai_tui.sandbox.company import PROJECT_ID, PROJECT_NAME
from kai_tui.sandbox.project import Project
from kai_tui.sandbox.refusals import Flavour, NotInStack
from kai_tui.sandbox.requests import json_object

JsonObject: TypeAlias = dict[str, Any]

ASSISTANT_PATH = "/assistant"
"""Where an agent sandbox serves the assistant flavour too: the official client knows no other."""
QUEUE_PATH = "/queue"
"""Where the job queue is; a real stack has it at a host of its own."""
MOST_JOBS = 500


def stack_routes(project: Project, service: Flavour) -> list[BaseRoute]:
    """All of them, over a project."""
    return [*_about(project, service), *_storage(project), *_queue(project), *_preview(project)]


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _about(project: Project, service: Flavour) -> list[BaseRoute]:
    async def index(request: Request) -> Response:
        base = _base(request)
        services = [{"id": f"kai-{service}", "url": base}]
        if service == "agent":
            services.append({"id": "kai-assistant", "url": base + ASSISTANT_PATH})
        services += [{"id": "queue", "url": base + QUEUE_PATH}, {"id": "mcp-server", "url": base}]
        return JsonAnswer(
            {
                "api": "storage",
                "version": "v2",
                "revision": "sandbox",
                "components": [],
                "services": services,
                "features": [],
            }
        )

    async def verify(_request: Request) -> Response:
        return JsonAnswer(
            {
                "id": "1",
                "description": "Sandbox token",
                "isMasterToken": True,
                "owner": {"id": int(PROJECT_ID), "name": PROJECT_NAME},
            }
        )

    async def dev_branches(_request: Request) -> Response:
        return JsonAnswer(await asyncio.to_thread(branches.listed, project))

    return [
        Route("/v2/storage", index),
        Route("/v2/storage/tokens/verify", verify),
        Route("/v2/storage/dev-branches", dev_branches),
    ]


Answer: TypeAlias = "Callable[[Project, dict[str, str]], Any]"
"""What a place holds, from the branch and the path's parameters; None: there is nothing."""


def _storage(project: Project) -> list[BaseRoute]:
    places: Sequence[tuple[str, str, Answer]] = (
        ("/metadata", "", lambda on, _: stored.project_metadata(on)),
        ("/buckets", "", lambda on, _: stored.buckets(on)),
        ("/buckets/{bucket}", "buckets", lambda on, of: stored.bucket(on, of["bucket"])),
        ("/tables/{table}", "tables", lambda on, of: stored.table(on, of["table"])),
        ("/tables", "", lambda on, _: stored.tables(on)),
        ("/components", "", lambda on, _: stored.components(on)),
        ("/components/{component}", "components", lambda on, of: stored.component(of["component"])),
        (
            "/components/{component}/configs",
            "",
            lambda on, of: stored.configurations(on, of["component"]),
        ),
        (
            "/components/{component}/configs/{config}",
            "configurations",
            lambda on, of: stored.configuration(on, of["component"], of["config"]),
        ),
        (
            "/components/{component}/configs/{config}/versions/{version}",
            "configurations",
            lambda on, of: stored.version(on, of["component"], of["config"], of["version"]),
        ),
        (
            "/components/{component}/configs/{config}/rows/{row}",
            "configurationRows",
            lambda on, of: stored.row(on, of["component"], of["config"], of["row"]),
        ),
    )
    routes: list[BaseRoute] = []
    for path, kind, answer in places:
        endpoint = _looked_up(project, kind, answer)
        routes.append(Route(f"/v2/storage/branch/{{branch}}{path}", endpoint))
        if path != "/metadata":
            routes.append(Route(f"/v2/storage{path}", endpoint))
    return routes


def _looked_up(project: Project, kind: str, answer: Answer) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        of = {name: str(value) for name, value in request.path_params.items()}
        branch = _branch(of.pop("branch", "default"))

        def look() -> Any:
            return answer(branches.on_branch(project, branch), of)

        found = await asyncio.to_thread(look)
        if found is None:
            raise NotInStack(f"There is no {next(reversed(of.values()))} here.", f"storage.{kind}.notFound")
        return JsonAnswer(found)

    return endpoint


def _branch(given: str) -> int | None:
    if given in ("default", str(branches.MAIN_ID)):
        return None
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 18 else -1
    if number not in branches.DEVELOPMENT:
        raise NotInStack(f"There is no branch {given}.", "storage.branches.notFound")
    return number


def _queue(project: Project) -> list[BaseRoute]:
    async def job(request: Request) -> Response:
        job_id = str(request.path_params["job"])
        found = await asyncio.to_thread(queue.job, project, job_id, _base(request) + QUEUE_PATH)
        if found is None:
            raise NotInStack(f'Job "{job_id}" not found')
        return JsonAnswer(found)

    async def search(request: Request) -> Response:
        asked = request.query_params
        # Without a branch the real queue lists the jobs of all; here those of main are all there is to see.
        branch = _branch(asked.get("branchId") or "default")

        def look() -> list[JsonObject]:
            return queue.search(
                branches.on_branch(project, branch),
                _base(request) + QUEUE_PATH,
                component_id=asked.get("componentId", ""),
                config_id=asked.get("configId", ""),
                limit=_number(asked.get("limit"), 100),
                offset=_number(asked.get("offset"), 0),
            )

        return JsonAnswer(await asyncio.to_thread(look))

    return [Route(f"{QUEUE_PATH}/jobs/{{job}}", job), Route(f"{QUEUE_PATH}/search/jobs", search)]


def _number(text: str | None, otherwise: int) -> int:
    return min(int(text), MOST_JOBS) if text and text.isascii() and text.isdigit() else otherwise


def _preview(project: Project) -> list[BaseRoute]:
    async def preview(request: Request) -> Response:
        body = await json_object(request)
        tool, given = body.get("toolName"), body.get("toolParams")
        branch = _branch(request.headers.get("x-branch-id") or "default")

        def look() -> JsonObject | None:
            return previews.preview(branches.on_branch(project, branch), tool, given)

        found = await asyncio.to_thread(look)
        if found is None:
            return JsonAnswer({"message": f"{tool} cannot be previewed."}, 403)
        return JsonAnswer(found)

    return [Route("/preview/configuration", preview, methods=["POST"])]

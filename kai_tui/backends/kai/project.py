"""The project behind a Kai, read with the same token: Storage API, job queue, and the MCP server's preview.

The token goes to the stack itself and to addresses the stack's own index lists under its own domain (N8, P13),
nowhere else, and follows no redirect. Nothing is changed: all requests are GET but the preview, which computes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from kai_tui.backends.base import (
    BackendError,
    CannotConnect,
    NotFound,
    Refused,
    UnexpectedAnswer,
    Unsupported,
)
from kai_tui.backends.http import Answer, HttpDoor, Timeouts, segment
from kai_tui.backends.kai import project_wire as shapes
from kai_tui.backends.kai import wire
from kai_tui.backends.kai.discovery import Discovered, listed_services, stack_door
from kai_tui.backends.kai.lent import Lent
from kai_tui.backends.project import Job
from kai_tui.backends.tolerant import WireModel

if TYPE_CHECKING:
    import httpx

    from kai_tui.backends.secret import Secret
    from kai_tui.conversation.events import JsonObject
    from kai_tui.conversation.project_objects import ProjectObject
    from kai_tui.conversation.reviews.review import ObjectRef, Wanted

QUEUE_IDS = ("queue",)
MCP_IDS = ("mcp-server", "keboola-mcp-server", "mcp")
"""Under which names a stack's index may list a service; the first that is there counts."""
PREVIEWED = frozenset(
    {
        "update_config",
        "update_config_row",
        "update_sql_transformation",
        "update_flow",
        "modify_flow",
        "modify_streamlit_data_app",
    }
)
"""The tools the MCP server computes a preview for (keboola-tools.md §5)."""

_COMPONENTS: dict[str, tuple[str, ...]] = {
    "configuration": ("keboola.snowflake-transformation", "keboola.google-bigquery-transformation"),
    "flow": ("keboola.flow", "keboola.orchestrator"),
    "data app": ("keboola.data-apps",),
}
"""Whose configuration it can be when a call does not say: `update_sql_transformation` names none."""
_CLOCKS = Timeouts(connect=5.0, read=15.0, total=25.0, pauses=(0.5,))
_MOST_JOBS = 50
_MOST_OBJECTS = 20_000
"""Of one list; what is behind them cannot be completed."""
_AT_ONCE = 6
"""Requests for objects."""

CheckAddress: TypeAlias = Callable[[str, str], Awaitable[None]]
"""Asked with a service's id and address before the token goes there for the first time; raises BackendErrors."""

M = TypeVar("M", bound=WireModel)


class KaiProject:
    """Implements `Project` for one account: one stack, one token, one branch.

    `transport` serves the built-in assistant and tests; it stays open when this is closed.
    """

    def __init__(
        self,
        storage_url: str,
        token: Secret,
        *,
        branch_id: int | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        check_address: CheckAddress | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Raises CannotConnect for an address a token must not go to."""
        self._token = token
        self._check_address = check_address
        self._transport = Lent(transport) if transport is not None else None
        self._timeouts = timeouts or _CLOCKS
        self._stack = stack_door(storage_url, token, self._transport, self._timeouts)
        self._branch_id = branch_id
        self._main_id: str | None = None
        self._services: Discovered | None = None
        self._asking: asyncio.Lock = asyncio.Lock()
        self._doors: dict[str, HttpDoor] = {}
        self._under_way: dict[tuple[str, str], asyncio.Task[Answer]] = {}
        self._few = asyncio.Semaphore(_AT_ONCE)

    async def present(self, wanted: Wanted) -> Any:
        """A present value. Raises NotFound for what is not there, Unsupported for what cannot be looked up."""
        of = wanted.of
        if wanted.what == "description":
            return await self._description(of)
        if wanted.what == "configuration":
            return await self._configuration(of)
        if wanted.what == "source":
            source = shapes.source_value(await self._configuration(of))
            if source is None:
                raise Unsupported("The source of this app is not kept in its configuration.")
            return source
        if wanted.what == "jobs":
            component, slash, configuration = of.id.partition("/")
            if not slash:
                component, configuration = _COMPONENTS.get(of.kind, ("",))[0], of.id
            return [shapes.job_value(job) for job in await self.last_jobs(component, configuration)]
        raise Unsupported("A preview needs the whole call.")

    async def version(self, of: ObjectRef, version: int) -> JsonObject:
        """A configuration as it was in an earlier version. Raises NotFound."""
        return await self._configuration(of, f"/versions/{version}")

    async def preview(self, tool: str, input: JsonObject) -> JsonObject:
        """What the stack's MCP server says an update would make of a configuration (keboola-tools.md §5).

        The whole answer: `originalConfig`, `updatedConfig`, or `isValid: false` with `validationErrors`.
        Raises Unsupported where the stack lists no such server or that has no preview.
        """
        if tool not in PREVIEWED:
            raise Unsupported("There is no preview of this tool.")
        door = await self._door(MCP_IDS, "MCP server")
        body = {"toolName": tool, "toolParams": input}
        try:
            answer = await door.request("POST", "/preview/configuration", body=body)
        except (NotFound, Refused) as error:
            if error.status in (404, 405):
                raise Unsupported(f"The MCP server at {door.host} has no preview.") from None
            raise
        found = answer.json()
        if not isinstance(found, dict):
            raise UnexpectedAnswer(f"{door.host} gave a preview this program does not understand.")
        return cast("JsonObject", found)

    async def job(self, job_id: str) -> Job:
        """A job as the queue has it now. Raises NotFound."""
        found = await self._read(
            shapes.JobAnswer, await self._queue(), f"/jobs/{segment(job_id)}", f"job {job_id}"
        )
        return shapes.job_of(found, self._admin)

    async def last_jobs(self, component_id: str, configuration_id: str, limit: int = 5) -> list[Job]:
        """The last runs of a configuration on this branch, the newest first. Raises Unsupported for no id."""
        if not component_id or not configuration_id:
            raise Unsupported("The runs of a configuration are found by its component and its id.")
        door = await self._queue()
        params: dict[str, str | int] = {
            "componentId": component_id,
            "configId": configuration_id,
            "sortBy": "createdTime",
            "sortOrder": "desc",
            # The queue lists those of all branches when it is asked for no branch.
            "limit": limit if self._branch_id is not None else max(_MOST_JOBS, limit),
        }
        if self._branch_id is not None:
            params["branchId"] = self._branch_id
        answer = await door.request("GET", "/search/jobs", params=params)
        rows: Any = answer.json()
        if not isinstance(rows, list):
            raise UnexpectedAnswer(f"{door.host} did not answer with a list of jobs.", status=answer.status)
        found = wire.read_rows(shapes.JobAnswer, cast("list[Any]", rows))
        here = await self._branch_of_runs(found)
        return [shapes.job_of(each, self._admin) for each in found if (each.branch_id or here) == here][
            :limit
        ]

    async def objects(self) -> list[ProjectObject]:
        """What the project has, in three lists of the Storage API; a list that cannot be read counts as empty, all
        three together as a failure."""
        lists = await asyncio.gather(
            self._listed("/buckets", shapes.buckets_of),
            self._listed("/tables", shapes.tables_of),
            self._listed("/components", shapes.configurations_of),
            return_exceptions=True,
        )
        found: list[ProjectObject] = []
        failures: list[BackendError] = []
        for each in lists:
            if isinstance(each, BackendError):
                failures.append(each)
            elif isinstance(each, BaseException):
                raise each
            else:
                found += each
        if len(failures) == len(lists):
            raise failures[0]
        return found

    async def _listed(
        self, path: str, read: Callable[[list[Any]], list[ProjectObject]]
    ) -> list[ProjectObject]:
        try:
            answer = await self._get(self._stack, self._branch + path)
        except NotFound:
            if self._branch_id is None:
                raise
            # What a branch has no list of, it reads from main.
            answer = await self._get(self._stack, f"/v2/storage{path}")
        rows: Any = answer.json()
        if not isinstance(rows, list):
            raise UnexpectedAnswer(f"{self._stack.host} gave no list of {path[1:]}.", status=answer.status)
        listed = cast("list[Any]", rows)[:_MOST_OBJECTS]
        # Ten thousand rows take a third of a second to check.
        return await asyncio.to_thread(read, listed)

    def renew(self, token: Secret) -> None:
        """Use another token from now on."""
        self._token = token
        for door in (self._stack, *self._doors.values()):
            door.renew({"x-storageapi-token": token})

    async def hang_up(self, *, streams: bool = True) -> None:
        """Drop the connections; what follows connects anew."""
        for door in (self._stack, *self._doors.values()):
            await door.hang_up(streams=streams)

    async def aclose(self) -> None:
        """Close all connections."""
        for task in list(self._under_way.values()):
            task.cancel()
        for door in (self._stack, *self._doors.values()):
            await door.aclose()

    @property
    def _branch(self) -> str:
        return f"/v2/storage/branch/{self._branch_id or 'default'}"

    @property
    def _admin(self) -> str:
        return self._stack.base_url

    async def _description(self, of: ObjectRef) -> str:
        if of.kind == "project":
            rows = (await self._stack.request("GET", f"{self._branch}/metadata")).json()
            if not isinstance(rows, list):
                raise UnexpectedAnswer(f"{self._stack.host} did not say what the project is about.")
            return shapes.described(cast("list[Any]", rows), shapes.PROJECT_DESCRIPTION) or ""
        if of.kind == "bucket":
            return shapes.description_of(await self._stored("buckets", of.id, f"bucket {of.id}"))
        if of.kind == "table":
            return shapes.description_of(await self._stored("tables", of.id, f"table {of.id}"))
        if of.kind == "column":
            table, _, column = of.id.rpartition(".")
            found = shapes.description_of_column(
                await self._stored("tables", table, f"table {table}"), column
            )
            if found is None:
                raise NotFound(f"The project has no column {of.id}.")
            return found
        return str((await self._configuration(of)).get("description", ""))

    async def _stored(self, what: str, object_id: str, named: str) -> shapes.Described:
        """A bucket or table of the branch; what a branch has no copy of, it reads from main."""
        path = f"/{what}/{segment(object_id)}"
        if self._branch_id is not None:
            try:
                return await self._read(shapes.Described, self._stack, f"{self._branch}{path}", named)
            except NotFound:
                pass
        return await self._read(shapes.Described, self._stack, f"/v2/storage{path}", named)

    async def _configuration(self, of: ObjectRef, below: str = "") -> JsonObject:
        """`below`: the rest of the address of one of its versions."""
        if of.kind == "configuration row":
            component, configuration, row = [*of.id.split("/", 2), "", ""][:3]
            path = f"{self._config_path(component, configuration)}/rows/{segment(row)}"
            return shapes.row_value(
                await self._read(shapes.Configuration, self._stack, path, f"configuration row {of.id}")
            )
        if of.kind not in _COMPONENTS:
            raise Unsupported(f"A {of.kind} has no configuration.")
        component, slash, configuration = of.id.partition("/")
        if not slash:
            component, configuration = "", of.id
        named = f"{of.kind} {configuration}"
        missing = NotFound(f"The project has no {named}.")
        for candidate in (component,) if component else _COMPONENTS[of.kind]:
            try:
                path = self._config_path(candidate, configuration) + below
                found = await self._read(shapes.Configuration, self._stack, path, named)
            except NotFound as error:
                missing = error
            else:
                return shapes.configuration_value(found, candidate)
        raise missing

    def _config_path(self, component: str, configuration: str) -> str:
        return f"{self._branch}/components/{segment(component)}/configs/{segment(configuration)}"

    async def _branch_of_runs(self, found: list[shapes.JobAnswer]) -> str:
        """The id the queue knows this branch by; empty when nobody can tell, and nothing is left out then."""
        if self._branch_id is not None:
            return str(self._branch_id)
        named = {each.branch_id for each in found if each.branch_id}
        if named and self._main_id is None:
            rows: Any = (await self._stack.request("GET", "/v2/storage/dev-branches")).json()
            listed = wire.read_rows(wire.BranchRow, cast("list[Any]", rows) if isinstance(rows, list) else [])
            self._main_id = next((str(row.id) for row in listed if row.is_default is True), "")
        return self._main_id or ""

    async def _queue(self) -> HttpDoor:
        return await self._door(QUEUE_IDS, "job queue")

    async def _door(self, ids: tuple[str, ...], named: str) -> HttpDoor:
        """The door to a service of the stack. Raises Unsupported where it lists none, and BackendError for an
        address outside of the stack: no token goes there."""
        async with self._asking:
            if named in self._doors:
                return self._doors[named]
            if self._services is None:
                self._services = await listed_services(self._stack)
            listed = next((each for each in ids if each in self._services.services), None)
            if listed is None:
                raise Unsupported(f"{self._stack.host} lists no {named}.", code="discovery:service_not_found")
            address = self._services.address(listed)
            if self._check_address is not None:
                await self._check_address(listed, address)
            for path in ("/mcp", "/sse"):
                address = address.removesuffix(path)  # of the protocol for models; the preview is beside it
            branch = {"x-branch-id": str(self._branch_id)} if self._branch_id is not None else None
            door = HttpDoor(
                address,
                headers=branch,
                auth_headers={
                    "x-storageapi-token": self._token,
                    **({"x-storageapi-url": self._stack.base_url} if ids == MCP_IDS else {}),
                },
                transport=self._transport,
                timeouts=self._timeouts,
            )
            self._doors[named] = door
            return door

    async def _read(self, model: type[M], door: HttpDoor, path: str, named: str) -> M:
        try:
            answer = await self._get(door, path)
        except NotFound as error:
            raise NotFound(
                f"The project has no {named}.", code=error.code, status=error.status, detail=error.detail
            ) from None
        return wire.read(model, answer.json(), door.host)

    async def _get(self, door: HttpDoor, path: str) -> Answer:
        """A few requests at a time; who asks for what is on its way gets the same answer."""
        key = (door.base_url, path)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._got(door, path))
            task.add_done_callback(lambda done: self._arrived(key, done))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise CannotConnect(
                    f"The connection to {door.host} was closed here.", code="closed"
                ) from None
            raise

    async def _got(self, door: HttpDoor, path: str) -> Answer:
        async with self._few:
            return await door.request("GET", path)

    def _arrived(self, key: tuple[str, str], task: asyncio.Task[Answer]) -> None:
        self._under_way.pop(key, None)
        if not task.cancelled():
            task.exception()  # who asked may have gone away

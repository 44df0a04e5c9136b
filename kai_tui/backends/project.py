"""The user's project itself, read only: what is there now, and how jobs go on.

With the same token as the assistant, at the stack's own addresses; nothing here changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kai_tui.conversation.events import JsonObject
    from kai_tui.conversation.project_objects import ProjectObject
    from kai_tui.conversation.reviews.review import ObjectRef, Wanted


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the queue has it now. Texts are raw."""

    id: str
    status: str
    """`created`, `waiting`, `processing`, `success`, `warning`, `error`, `terminating`, `cancelled`, `terminated`."""
    finished: bool = False
    component_id: str = ""
    configuration_id: str = ""
    created: str = ""
    """ISO 8601, as the stack wrote it, like the two below."""
    started: str = ""
    ended: str = ""
    seconds: float | None = None
    message: str = ""
    """What it says about its result."""
    url: str = ""


class Project(Protocol):
    """Raises only BackendErrors."""

    async def present(self, wanted: Wanted) -> Any:
        """A present value in the shape `Wanted` says. Raises NotFound, Unsupported."""
        ...

    async def version(self, of: ObjectRef, version: int) -> JsonObject:
        """A configuration (flow, data app) as it was in an earlier version, in the shape of `Wanted`.
        Raises NotFound, Unsupported."""
        ...

    async def preview(self, tool: str, input: JsonObject) -> JsonObject:
        """`originalConfig` and `updatedConfig` of an update (keboola-tools.md §5). Raises Unsupported where no
        server that computes it is known."""
        ...

    async def job(self, job_id: str) -> Job: ...

    async def last_jobs(self, component_id: str, configuration_id: str, limit: int = 5) -> list[Job]:
        """The newest first."""
        ...

    async def objects(self) -> list[ProjectObject]:
        """Buckets, tables and configurations there are, in the order of the project's own lists."""
        ...

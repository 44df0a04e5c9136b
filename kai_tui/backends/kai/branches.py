"""The development branches of a project, from the Storage API of its stack.

`GET /v2/storage/dev-branches` is public but not part of Kai's protocol page: a JSON list of
`{"id": 123, "name": "…", "description": "…", "isDefault": false, …}`, the main branch among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from kai_tui.backends.kai import wire
from kai_tui.backends.kai.discovery import stack_door
from kai_tui.backends.refusals import not_what_was_asked

if TYPE_CHECKING:
    import httpx

    from kai_tui.backends.secret import Secret


@dataclass(frozen=True, slots=True)
class Branch:
    """A development branch. Texts are raw."""

    id: int
    name: str
    description: str = ""


async def development_branches(
    storage_url: str, token: Secret, transport: httpx.AsyncBaseTransport | None = None
) -> Sequence[Branch]:
    """All development branches of the token's project, in the stack's order; the main branch is left out.

    Raises BackendError, also when the answer is no list of branches: then nothing is known of them.
    """
    door = stack_door(storage_url, token, transport)
    try:
        answer = await door.request("GET", "/v2/storage/dev-branches")
    finally:
        await door.aclose()
    rows: Any = answer.json()
    if not isinstance(rows, list):
        raise not_what_was_asked(answer.status, answer.media_type, answer.content, door.host, wanted="JSON")
    found: dict[int, Branch] = {}
    for row in wire.read_rows(wire.BranchRow, cast("list[Any]", rows)):
        if row.id is not None and row.id > 0 and row.is_default is not True:
            found.setdefault(row.id, Branch(row.id, row.name or "", row.description or ""))
    return tuple(found.values())

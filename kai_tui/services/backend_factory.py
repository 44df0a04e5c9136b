"""Makes the backend of an account. The one place that knows all kinds.

Everything heavy (httpx, pydantic, starlette) is imported here in a thread, after the first paint.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kai_tui.backends.systems import SYSTEMS

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend
    from kai_tui.backends.secret import Secret
    from kai_tui.backends.system import Memory, System
    from kai_tui.services.account import ServiceFlavour
    from kai_tui.services.address_pins import AddressPins

SANDBOX_URL = "http://sandbox.kai-tui.invalid"
"""Names no host that exists: the sandbox is reached in this process, never through a socket (L1)."""

SANDBOX_TOKEN_FOR_THIS_RUN = "in-process"  # noqa: S105 - protects nothing: there is no socket


async def _load(*modules: str) -> None:
    """Import modules without holding up the keys."""
    for module in modules:
        await asyncio.to_thread(importlib.import_module, module)


async def open_sandbox(project_file: Path | None, service: ServiceFlavour, pace: float = 1.0) -> Backend:
    """The built-in assistant over the project in `project_file` (None: in memory), in this process.

    A project file that cannot be opened is left alone, and the project of this session is in memory.
    Raises CannotConnect for one that a newer kai-tui made.
    """
    await _load(
        "httpx", "pydantic", "starlette.applications", "kai_tui.sandbox.server", "kai_tui.backends.kai.client"
    )
    from kai_tui.backends.base import CannotConnect
    from kai_tui.backends.kai.client import KaiBackend
    from kai_tui.backends.secret import Secret
    from kai_tui.sandbox.project import Project, ProjectTooNew, ProjectUnusable
    from kai_tui.sandbox.server import create_app
    from kai_tui.sandbox.transport import StreamingASGITransport

    try:
        project = await asyncio.to_thread(
            Project.open, project_file if project_file is not None else ":memory:"
        )
    except ProjectTooNew as error:
        raise CannotConnect(str(error), code="sandbox") from error
    except ProjectUnusable:
        # A home that cannot be written: the storage notice says that nothing is kept.
        project = await asyncio.to_thread(Project.open, ":memory:")
    app = create_app(project, service=service, token=SANDBOX_TOKEN_FOR_THIS_RUN, pace=pace)

    def close() -> None:
        app.state.desk.hang_up()
        project.close()

    return KaiBackend(
        SANDBOX_URL,
        storage_url=SANDBOX_URL,
        token=Secret(SANDBOX_TOKEN_FOR_THIS_RUN),
        service=service,
        transport=StreamingASGITransport(app, on_close=close),
    )


async def open_kai(
    base_url: str,
    storage_url: str,
    token: Secret,
    service: ServiceFlavour | None,
    *,
    branch_id: int | None = None,
    workspace_id: str = "",
    pins: AddressPins | None = None,
) -> Backend:
    """A Kai server at an address. Raises CannotConnect for an address nobody should send a token to.

    `pins`: where the stack's other services were when they were first used.
    """
    await _load("httpx", "pydantic", "kai_tui.backends.kai.client")
    from kai_tui.backends.addresses import storage_address
    from kai_tui.backends.kai.client import KaiBackend

    async def check(service_id: str, address: str) -> None:
        assert pins is not None
        await pins.check(storage_address(storage_url), service_id, address)

    backend = KaiBackend(
        base_url,
        storage_url=storage_url,
        token=token,
        service=service,
        branch_id=branch_id,
        workspace_id=workspace_id or None,
        check_address=check if pins is not None else None,
    )
    if service is None:
        # What it can do depends on which service it is, and sessions ask that before anything is sent.
        await backend.tell_service()
    return backend


async def ready_system(kind: str) -> System:
    """A system with all that its interview and its backend need in memory: what they import then is there."""
    await _load("httpx", "pydantic", SYSTEMS[kind], f"{SYSTEMS[kind].removesuffix('.system')}.client")
    from kai_tui.backends.systems import system_of

    return system_of(kind)


async def open_system(
    kind: str, settings: Mapping[str, str], secret: Secret | None, memory: Memory
) -> Backend:
    """A server of another system. Raises BackendError for settings that cannot work."""
    system = await ready_system(kind)
    return await system.open(settings, secret, memory)

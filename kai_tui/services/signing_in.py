"""From a stack's address and a token to the Kai that serves it (protocols/kai.md §3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kai_tui.backends.secret import Secret
    from kai_tui.services.account import ServiceFlavour
    from kai_tui.services.account_service import SignInStep


@dataclass(frozen=True, slots=True)
class FoundKai:
    """Where Kai is and whose project the token opens."""

    base_url: str
    storage_url: str
    service: ServiceFlavour
    project_id: str
    project_name: str


async def find_kai(
    storage_url: str, token: Secret, service: ServiceFlavour | None, on_step: Callable[[SignInStep], None]
) -> FoundKai:
    """Verify the token, read the stack's index, ping the service. Raises BackendError."""
    from kai_tui.backends.kai.client import KaiBackend
    from kai_tui.backends.kai.discovery import discover, storage_address, verify_token
    from kai_tui.services.account_service import SignInStep

    stack = storage_address(storage_url)
    on_step(SignInStep("verify", "running"))
    owner = await verify_token(stack, token)
    limited = "" if owner.is_master else " (not a master token: Kai may refuse it)"
    on_step(SignInStep("verify", "done", f"{owner.project_name}{limited}"))
    on_step(SignInStep("discover", "running"))
    flavour, base_url = (await discover(stack, token)).choose(service)
    on_step(SignInStep("discover", "done", flavour))
    on_step(SignInStep("ping", "running"))
    backend = KaiBackend(base_url, storage_url=stack, token=token, service=flavour)
    try:
        await backend.ping()
    finally:
        await backend.aclose()
    on_step(SignInStep("ping", "done"))
    return FoundKai(base_url, stack, flavour, owner.project_id, owner.project_name)

"""From a stack's address and a token to the Kai that serves it (protocols/kai.md §3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kai_tui.backends.kai.branches import Branch
    from kai_tui.backends.secret import Secret
    from kai_tui.services.account import Account, ServiceFlavour
    from kai_tui.services.account_service import SignInStep
    from kai_tui.services.address_pins import AddressPins


LISTING_SECONDS = 10.0
"""How long a stack may take to list its branches; main needs no list."""


@dataclass(frozen=True, slots=True)
class FoundKai:
    """Where Kai is and whose project the token opens."""

    base_url: str
    storage_url: str
    service: ServiceFlavour
    project_id: str
    project_name: str
    user_id: str = ""
    branches: Sequence[Branch] | None = None
    """Development branches of the project; None: they could not be listed."""


async def find_kai(
    storage_url: str,
    token: Secret,
    service: ServiceFlavour | None,
    on_step: Callable[[SignInStep], None],
    *,
    pins: AddressPins,
    accepted: str = "",
) -> FoundKai:
    """Verify the token, read the stack's index, ping the service. Raises BackendError.

    AddressChanged when the service is elsewhere than at its first use, unless the user `accepted`
    that very address.
    """
    from kai_tui.backends.kai.client import KaiBackend
    from kai_tui.backends.kai.discovery import SERVICE_IDS, discover, storage_address, verify_token
    from kai_tui.services.account_service import SignInStep

    stack = storage_address(storage_url)
    on_step(SignInStep("verify", "running"))
    owner = await verify_token(stack, token)
    limited = "" if owner.is_master else " (not a master token: Kai may refuse it)"
    on_step(SignInStep("verify", "done", f"{owner.project_name}{limited}"))
    on_step(SignInStep("discover", "running"))
    flavour, base_url = (await discover(stack, token)).choose(service)
    await pins.check(stack, SERVICE_IDS[flavour], base_url, accepted=accepted)
    on_step(SignInStep("discover", "done", flavour))
    on_step(SignInStep("ping", "running"))
    backend = KaiBackend(base_url, storage_url=stack, token=token, service=flavour)
    try:
        await backend.ping()
    finally:
        await backend.aclose()
    on_step(SignInStep("ping", "done"))
    return FoundKai(base_url, stack, flavour, owner.project_id, owner.project_name, owner.user_id)


class AnotherProject(Exception):
    """The token is good, but it is not one of this account: nothing was kept."""

    def __init__(self, project_name: str, project_id: str) -> None:
        super().__init__("a token of another project or user")
        self.project_name = project_name
        """Raw."""
        self.project_id = project_id


async def check_renewal(
    account: Account, token: Secret, project_id: str, on_step: Callable[[SignInStep], None]
) -> None:
    """Whether a token may take the place of an account's: the stack says that it opens the same project.

    Chats kept here must not be shown to another project (T21), so a project that cannot be told
    counts as another one. Raises BackendError and AnotherProject.
    """
    from kai_tui.backends.kai.discovery import storage_address, verify_token
    from kai_tui.services.account_service import SignInStep

    on_step(SignInStep("verify", "running"))
    owner = await verify_token(storage_address(account.storage_url), token)
    elsewhere = not owner.project_id or owner.project_id != project_id
    if elsewhere or (account.user_id and owner.user_id and account.user_id != owner.user_id):
        raise AnotherProject(owner.project_name, owner.project_id)
    limited = "" if owner.is_master else " (not a master token: Kai may refuse it)"
    on_step(SignInStep("verify", "done", f"{owner.project_name}{limited}"))


async def list_branches(
    storage_url: str, token: Secret, on_step: Callable[[SignInStep], None]
) -> Sequence[Branch] | None:
    """The project's development branches; None when the stack does not tell. Never raises a BackendError."""
    from kai_tui.backends.base import BackendError
    from kai_tui.backends.kai.branches import development_branches
    from kai_tui.services.account_service import SignInStep

    on_step(SignInStep("branches", "running"))
    try:
        async with asyncio.timeout(LISTING_SECONDS):
            found = await development_branches(storage_url, token)
    except (BackendError, TimeoutError):
        # A branch is a choice beside main: whoever has none must not be kept from signing in.
        on_step(SignInStep("branches", "done", "they cannot be listed"))
        return None
    on_step(SignInStep("branches", "done", f"{len(found)} beside main" if found else "only main"))
    return found

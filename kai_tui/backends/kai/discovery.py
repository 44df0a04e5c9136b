"""From a Keboola stack and a token to the address of Kai (kai.md §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from kai_tui.backends import addresses
from kai_tui.backends.addresses import storage_address as storage_address
from kai_tui.backends.base import BackendError, CannotConnect, NoKaiThere, TokenRefused
from kai_tui.backends.http import HttpDoor, Timeouts
from kai_tui.backends.kai import wire
from kai_tui.backends.refusals import one_line
from kai_tui.backends.secret import Secret

if TYPE_CHECKING:
    import httpx

Flavour: TypeAlias = Literal["agent", "assistant"]

SERVICE_IDS: Mapping[Flavour, str] = {"agent": "kai-agent", "assistant": "kai-assistant"}
"""In order of preference (kai.md §1)."""


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """Whose token it is."""

    description: str
    is_master: bool
    """Kai works with master tokens only (kai.md §2)."""
    project_id: str
    project_name: str
    user_id: str = ""
    """The person it belongs to; empty when the stack does not say."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """The services a stack lists: id → address, empty where the stack gave none."""

    storage_url: str
    services: Mapping[str, str] = field(default_factory=dict[str, str])

    def choose(self, service: Flavour | None = None) -> tuple[Flavour, str]:
        """The Kai to talk to and its address: kai-agent when listed, unless `service` says otherwise.

        Raises NoKaiThere when it is not listed, and BackendError when its address is one the
        stack's token must not go to (N8).
        """
        wanted: tuple[Flavour, ...] = (service,) if service is not None else ("agent", "assistant")
        for flavour in wanted:
            if SERVICE_IDS[flavour] in self.services:
                return flavour, self.address(SERVICE_IDS[flavour])
        raise self._missing(service)

    def address(self, service_id: str) -> str:
        """The address of a service that is listed. Raises BackendError when it has none, and when it is one the
        stack's token must not go to (N8)."""
        stack = addresses.parse_origin(self.storage_url)
        address = self.services[service_id]
        if not address:
            raise NoKaiThere(
                f"{stack.shown} lists {service_id} without an address. Tell Keboola's support.",
                code="discovery:no_url",
            )
        shown = "something unusable"
        try:
            shown = addresses.parse_origin(address).shown
            url, origin = addresses.base_address(address, in_process=stack.in_process)
            if addresses.belongs_to(origin, stack):
                return url
        except CannotConnect:
            pass  # said below
        raise BackendError(
            f"{stack.shown} names {shown} as the address of {service_id}. It is not a secure address of the "
            f"same stack, so your token was not sent there.",
            code="discovery:foreign_url",
            delivery="not-sent",
        )

    def _missing(self, service: Flavour | None) -> NoKaiThere:
        host = addresses.parse_origin(self.storage_url).shown
        listed = ", ".join(sorted(one_line(each, 40) for each in self.services)[:20])
        found = f" (it lists {listed})" if listed else ""
        if service is not None and any(other in self.services for other in SERVICE_IDS.values()):
            said = f"{host} has no {SERVICE_IDS[service]}{found}. Choose the other Kai service."
        else:
            said = (
                f"{host} has no Kai{found}. Kai may not be enabled there, or this is the address of another "
                f"stack: copy it from the browser while you look at your project."
            )
        return NoKaiThere(said, code="discovery:service_not_found")


async def verify_token(
    storage_url: str,
    token: Secret,
    transport: httpx.AsyncBaseTransport | None = None,
    *,
    timeouts: Timeouts | None = None,
) -> TokenInfo:
    """Check a token against its stack; the index itself accepts any (kai.md §3).

    Raises TokenRefused when the stack does not know it, and other BackendErrors.
    """
    door = stack_door(storage_url, token, transport, timeouts)
    try:
        body = (await door.request("GET", "/v2/storage/tokens/verify")).json()
    except TokenRefused as error:
        raise TokenRefused(
            f"{door.host} does not accept this token. It may be mistyped, expired, or of another stack.",
            code=error.code,
            status=error.status,
            detail=error.detail,
        ) from None
    finally:
        await door.aclose()
    answer = wire.read(wire.TokenAnswer, body, door.host)
    owner = answer.owner or wire.TokenOwner()
    return TokenInfo(
        description=answer.description or "",
        is_master=answer.is_master_token is True,
        project_id=owner.id or "",
        project_name=owner.name or "",
        user_id=(answer.admin.id or "") if answer.admin is not None else "",
    )


async def discover(
    storage_url: str,
    token: Secret,
    transport: httpx.AsyncBaseTransport | None = None,
    *,
    timeouts: Timeouts | None = None,
) -> Discovered:
    """Ask the stack which services it has. Raises BackendError; code `discovery:http_error` for a bad status."""
    door = stack_door(storage_url, token, transport, timeouts)
    try:
        return await listed_services(door)
    finally:
        await door.aclose()


async def listed_services(door: HttpDoor) -> Discovered:
    """`discover` through a door to the stack that is there already."""
    try:
        # The list of components would be megabytes.
        body = (await door.request("GET", "/v2/storage", params={"exclude": "components"})).json()
    except BackendError as error:
        if error.status is not None and error.status >= 400:
            error.detail = " · ".join(text for text in (error.code, error.detail) if text) or None
            error.code = "discovery:http_error"
        raise
    index = wire.read(wire.StackIndex, body, door.host)
    services: dict[str, str] = {}
    for service in wire.read_rows(wire.Service, index.services):
        services.setdefault(service.id, (service.url or "").strip().rstrip("/"))
    return Discovered(door.base_url, services)


def stack_door(
    storage_url: str,
    token: Secret,
    transport: httpx.AsyncBaseTransport | None,
    timeouts: Timeouts | None = None,
) -> HttpDoor:
    """The door to a stack's Storage API. Raises CannotConnect for an address a token must not go to."""
    return HttpDoor(
        storage_address(storage_url),
        auth_headers={"x-storageapi-token": token},
        transport=transport,
        timeouts=timeouts,
    )

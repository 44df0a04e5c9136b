"""Where iMBRACE's services are, and who may be asked there (imbrace.md §1, §2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from kai_tui.backends.addresses import base_address, is_loopback
from kai_tui.backends.base import CannotConnect
from kai_tui.backends.secret import Secret

if TYPE_CHECKING:
    import httpx

    from kai_tui.backends.http import HttpDoor, Timeouts

Service: TypeAlias = Literal["ai_agent", "chat_ai", "platform", "data_board", "gateway"]
"""`ai_agent`: chats and artifacts; `chat_ai`: agents, models, knowledge; `platform`: signing in;
`data_board`: chat attachments; `gateway`: what lies beside them."""
CredentialKind: TypeAlias = Literal["api-key", "access-token", "jwt"]

ENVIRONMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "stable": "https://app-gatewayv2.imbrace.co",
        "prodv2": "https://app-gatewayv2.imbrace.co",
        "sandbox": "https://app-gateway.sandbox.imbrace.co",
        "develop": "https://app-gateway.dev.imbrace.co",
    }
)
"""The vendor's gateways by name; `stable` is the usual one."""
DEFAULT_ENVIRONMENT: Final = "stable"

_BEHIND_GATEWAY: Final[Mapping[Service, str]] = {
    "ai_agent": "/ai-agent",
    "chat_ai": "/v3/ai",
    "platform": "/platform/v1",
    "data_board": "/data-board",
    "gateway": "",
}
_JWT: Final = re.compile(r"eyJ[^.]*\.[^.]*\.[^.]*")


@dataclass(frozen=True, slots=True)
class Places:
    """The address of each service."""

    gateway: str
    ai_agent: str
    chat_ai: str
    platform: str
    data_board: str

    def of(self, service: Service) -> str:
        """The address of one of them, without a slash at its end."""
        return {
            "ai_agent": self.ai_agent,
            "chat_ai": self.chat_ai,
            "platform": self.platform,
            "data_board": self.data_board,
            "gateway": self.gateway,
        }[service]


def places(
    where: str = DEFAULT_ENVIRONMENT,
    overrides: Mapping[Service, str] | None = None,
    *,
    in_process: bool = False,
) -> Places:
    """The services of an environment (a name of `ENVIRONMENTS`) or behind a gateway (an address).

    `overrides`: addresses of services that are elsewhere; a service run by oneself is at
    `http://host:port/api`. Raises CannotConnect for names nobody knows and for addresses a credential
    must not go to.
    """
    typed = where.strip()
    address = ENVIRONMENTS.get(typed.lower(), typed)
    if "://" not in address:
        if "." not in address and ":" not in address:
            names = ", ".join(ENVIRONMENTS)
            raise CannotConnect(
                f"There is no environment of that name. Known are {names}; or type the gateway's address.",
                code="address",
            )
        loopback = is_loopback(address.partition("/")[0].rpartition(":")[0].strip("[]").lower())
        address = f"{'http' if loopback else 'https'}://{address}"
    gateway, _ = base_address(address, in_process=in_process)
    found: dict[Service, str] = {service: gateway + path for service, path in _BEHIND_GATEWAY.items()}
    for service, other in (overrides or {}).items():
        if other.strip():
            found[service], _ = base_address(other, in_process=in_process)
    return Places(
        gateway=found["gateway"],
        ai_agent=found["ai_agent"],
        chat_ai=found["chat_ai"],
        platform=found["platform"],
        data_board=found["data_board"],
    )


def kind_of(credential: Secret) -> CredentialKind:
    """What a credential is, by its looks (§2). Anything unknown is taken for an access token."""
    value = credential.reveal()
    if value.startswith("api_"):
        return "api-key"
    return "jwt" if _JWT.fullmatch(value) else "access-token"


def credential_headers(credential: Secret, organization: str = "") -> dict[str, Secret | str]:
    """The headers for a credential.

    A JWT goes both ways: the gateway reads `Authorization`, the service only `x-access-token`. The
    organisation goes along whenever it is known: the service wants it of API keys too (§2).
    """
    headers: dict[str, Secret | str] = {}
    kind = kind_of(credential)
    if kind == "api-key":
        headers["x-api-key"] = credential
    else:
        headers["x-access-token"] = credential
    if kind == "jwt":
        headers["authorization"] = Secret(f"Bearer {credential.reveal()}")
    if organization:
        headers["x-organization-id"] = organization
    return headers


class Doors:
    """The doors to the services: one per origin, however many services are behind it."""

    def __init__(
        self,
        where: Places,
        headers: Mapping[str, Secret | str],
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        from kai_tui.backends.http import HttpDoor

        self._behind: dict[Service, tuple[HttpDoor, str]] = {}
        by_origin: dict[str, HttpDoor] = {}
        for service in _BEHIND_GATEWAY:
            address, origin = base_address(where.of(service), in_process=transport is not None)
            path = address.partition("://")[2].partition("/")[2]
            path = f"/{path}" if path else ""
            root = address.removesuffix(path)
            key = f"{origin.scheme}://{origin.host}:{origin.port}"
            if key not in by_origin:
                by_origin[key] = HttpDoor(root, auth_headers=headers, transport=transport, timeouts=timeouts)
            self._behind[service] = by_origin[key], path
        self.all = tuple(by_origin.values())

    def to(self, service: Service) -> tuple[HttpDoor, str]:
        """The door to a service, and what its paths begin with."""
        return self._behind[service]

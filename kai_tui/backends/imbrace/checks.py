"""What is asked of iMBRACE while an account of it is made (imbrace.md §2, §10, §12). All raise only BackendErrors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from kai_tui.backends.agents import Agent
from kai_tui.backends.base import (
    BackendError,
    CannotConnect,
    ConnectionLost,
    NotFound,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.backends.imbrace.client import ImbraceBackend
from kai_tui.backends.imbrace.login import organizations, token_for
from kai_tui.backends.imbrace.offers import Login, Organization, Person
from kai_tui.backends.imbrace.places import Places
from kai_tui.backends.imbrace.words import NO_ORGANIZATION
from kai_tui.backends.secret import Secret

T = TypeVar("T")

_LOGIN_ONLY: Final = "login_acc_"
"""How tokens begin that are good for choosing an organisation only."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What signing in came to; a login still needs its organisation."""

    credential: Secret
    login: Login | None = None
    organizations: Sequence[Organization] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of an organisation, who may ask."""

    credential: Secret
    organization: str
    name: str
    """Of the organisation."""
    person: Person


async def reach(where: Places) -> None:
    """GET /health, which needs no credential. Raises NotFound where something else answers."""
    try:
        await _asking(where, Secret(""), "", lambda backend: backend.alive())
    except (NotFound, UnexpectedAnswer) as error:
        host = where.ai_agent.partition("://")[2]
        raise NotFound(f"There is no iMBRACE at {host}. Check the address.", status=error.status) from None
    except BackendError as error:
        if error.status not in (401, 403):
            raise


async def taken(where: Places, typed: str) -> SignedIn:
    """Whether a key or token is good, and the organisations it may choose from, where it may list them."""
    credential = Secret(typed)
    if typed.startswith(_LOGIN_ONLY):
        known = await organizations(where, credential)
        return SignedIn(credential, Login(credential, tuple(known)), known)
    try:
        await _asking(where, credential, "", lambda backend: backend.whoami())
    except TokenRefused as error:
        if error.code != NO_ORGANIZATION:
            raise TokenRefused(
                "iMBRACE does not take this key or token.", code="login", status=error.status
            ) from None
    try:
        known = await organizations(where, credential)
    except (CannotConnect, ConnectionLost):
        raise
    except BackendError:
        known = []
    return SignedIn(credential, None, known)


async def member_of(where: Places, signed_in: SignedIn, organization: str) -> Member:
    """Somebody of this organisation; a login becomes its access token."""
    credential = signed_in.credential
    if signed_in.login is not None:
        credential = await token_for(where, signed_in.login, organization)
    person = await _asking(where, credential, organization, lambda backend: backend.whoami())
    name = next((each.name for each in signed_in.organizations if each.id == organization), "")
    return Member(credential, organization, name, person)


async def still_there(where: Places, kept: Secret, organization: str) -> Member:
    """Whether the sign-in of an account still works."""
    try:
        person = await _asking(where, kept, organization, lambda backend: backend.whoami())
    except TokenRefused as error:
        raise TokenRefused(
            "iMBRACE does not take the sign-in there is any more. Choose another way.", status=error.status
        ) from None
    return Member(kept, organization, "", person)


async def agents_of(where: Places, member: Member) -> Sequence[Agent] | None:
    """The agents to choose from; None when this sign-in may not list them."""
    try:
        return await _asking(
            where, member.credential, member.organization, lambda backend: backend.agents.list()
        )
    except (CannotConnect, ConnectionLost):
        raise
    except BackendError:
        return None


async def _asking(
    where: Places, credential: Secret, organization: str, ask: Callable[[ImbraceBackend], Awaitable[T]]
) -> T:
    backend = ImbraceBackend(where, credential, organization=organization)
    try:
        return await ask(backend)
    finally:
        await backend.aclose()

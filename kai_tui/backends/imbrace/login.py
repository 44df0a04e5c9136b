"""Signing in with e-mail: password or one-time code, then an organisation (imbrace.md §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kai_tui.backends.base import (
    BackendError,
    NotAllowed,
    Refused,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.backends.imbrace import wire
from kai_tui.backends.imbrace.offers import ApiKey, Login, Organization
from kai_tui.backends.imbrace.places import Doors, Places, credential_headers
from kai_tui.backends.imbrace.words import explained, in_our_words
from kai_tui.backends.secret import Secret
from kai_tui.backends.tolerant import read, read_rows, whole

if TYPE_CHECKING:
    import httpx

    from kai_tui.backends.http import Answer, HttpDoor, Timeouts


async def request_code(where: Places, email: str, **options: Any) -> None:
    """Have a one-time code sent to an address (`login/_signin_email_request`)."""
    async with _SigningIn(where, **options) as at:
        with in_our_words(_no_code_sent):
            await at.post("/login/_signin_email_request", {"email": _address(email)}, auth=False)


async def log_in(
    where: Places,
    email: str,
    *,
    password: Secret | None = None,
    code: Secret | None = None,
    **options: Any,
) -> Login:
    """Sign in with a password, or with the code that `request_code` had sent.

    Raises TokenRefused (code `login`) for a wrong password or code. `options`: `transport`, `timeouts`.
    """
    body = {"email": _address(email)}
    if code is not None:
        body["otp"] = code.reveal().strip()
    elif password is not None:
        body["password"] = password.reveal()
    else:
        raise Refused("Type your password, or ask for a code.", code="empty")
    async with _SigningIn(where, **options) as at:
        with in_our_words(_wrong_code if code is not None else _wrong_password):
            answer = await at.post("/login/authenticate", body, auth=False)
        found = read(wire.LoginAnswer, answer.json(), answer.host)
    if not found.found:
        raise _no_token(answer.host)
    return Login(Secret(found.found), tuple(organizations_of(found.organizations)))


async def token_for(where: Places, login: Login, organization: str, **options: Any) -> Secret:
    """The access token for one of the organisations (`access/_exchange_access_token`)."""
    if not organization:
        raise Refused("Choose an organisation.", code="empty")
    async with _SigningIn(where, credential_headers(login.token), **options) as at:
        with in_our_words():
            answer = await at.post("/access/_exchange_access_token", {"organization_id": organization})
        found = read(wire.LoginAnswer, answer.json(), answer.host)
    if not found.found:
        raise _no_token(answer.host)
    return Secret(found.found)


async def organizations(where: Places, credential: Secret, **options: Any) -> list[Organization]:
    """The organisations a login token may choose from (`GET {platform}/organizations`, SDK 1.3.1)."""
    async with _SigningIn(where, credential_headers(credential), **options) as at:
        door, prefix = at.door
        with in_our_words():
            answer = await door.request("GET", f"{prefix}/organizations", params={"limit": 100, "skip": 0})
    rows = wire.rows_of(answer.json(), "organizations")
    if rows is None:
        raise UnexpectedAnswer(f"{answer.host} did not list the organisations.", code="shape")
    return organizations_of(rows)


async def lasting_key(
    where: Places, token: Secret, organization: str, *, days: int = 10, **options: Any
) -> ApiKey:
    """Make an API key for this user that outlives the access token; at the server it stays until it expires."""
    async with _SigningIn(where, credential_headers(token, organization), **options) as at:
        door, prefix = at.doors.to("gateway")
        with in_our_words():
            answer = await door.request(
                "POST",
                f"{prefix}/v1/platform/third_party_token",
                body={"expirationDays": days},
                unsure_note="A key may or may not have been made.",
            )
    key = read(wire.KeyAnswer, answer.json(), answer.host).api_key or {}
    for name in ("apiKey", "token"):
        value = key.get(name)
        if isinstance(value, str) and value:
            expires, owner = key.get("expired_at"), key.get("organization_id")
            return ApiKey(
                Secret(value),
                owner if isinstance(owner, str) and owner else organization,
                str(expires) if isinstance(expires, str | int) and not isinstance(expires, bool) else "",
            )
    raise _no_token(answer.host)


def organizations_of(rows: list[Any]) -> list[Organization]:
    """The organisations in a list, whatever their fields are called."""
    return [
        Organization(found, row.name or row.organization_name or "")
        for row in read_rows(wire.OrganizationRow, rows)
        if (found := row.id or row.organization_id or row.mongo_id)
    ]


class _SigningIn:
    """The doors for one step of signing in."""

    def __init__(
        self,
        where: Places,
        headers: dict[str, Secret | str] | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.doors = Doors(where, headers or {}, transport=transport, timeouts=timeouts)

    @property
    def door(self) -> tuple[HttpDoor, str]:
        return self.doors.to("platform")

    async def post(self, path: str, body: dict[str, str], *, auth: bool = True) -> Answer:
        door, prefix = self.door
        return await door.request("POST", prefix + path, body=body, auth=auth)

    async def __aenter__(self) -> _SigningIn:
        return self

    async def __aexit__(self, *_: object) -> None:
        for door in self.doors.all:
            await door.aclose()


def _address(email: str) -> str:
    typed = whole(email).strip()
    if "@" not in typed[1:-1] or any(character.isspace() for character in typed):
        raise Refused("Type your e-mail address, such as you@example.com.", code="email")
    return typed


def _wrong_password(error: BackendError) -> BackendError:
    return _refused_login(error, "E-mail and password were not accepted")


def _wrong_code(error: BackendError) -> BackendError:
    return _refused_login(error, "The code was not accepted: it may be mistyped or too old")


def _refused_login(error: BackendError, sentence: str) -> BackendError:
    if isinstance(error, TokenRefused | NotAllowed):
        return TokenRefused(f"{sentence}.", code="login", status=error.status, detail=error.detail)
    if error.status in (400, 422):
        return TokenRefused(f"{sentence}. {error.sentence}", code="login", status=error.status)
    return explained(error)


def _no_code_sent(error: BackendError) -> BackendError:
    if isinstance(error, TokenRefused | NotAllowed):
        return Refused("No code was sent: the server does not know this address.", code="email")
    return explained(error)


def _no_token(host: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(f"{host} let us in, but gave no token.", code="shape")

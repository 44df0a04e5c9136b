"""Knowrithm as a system: a key or a sign-in, and the agent new chats are with (knowrithm.md §1, §2, §6)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from kai_tui.backends.ask_agent import AGENT, LAST_USED, ask_agent
from kai_tui.backends.secret import Secret
from kai_tui.backends.system import Choice, Field, Guide, Memory, NewAccount, System

if TYPE_CHECKING:
    from kai_tui.backends.agents import Agent
    from kai_tui.backends.base import Backend
    from kai_tui.backends.knowrithm.access import Credential, Login

_ADDRESS: Final = "address"
_WAY: Final = "way"
_OWNER: Final = "owner"
_EMAIL: Final = "email"


@dataclass(frozen=True, slots=True)
class _Person:
    """A credential that was taken, and whose it is."""

    credential: Credential
    owner: str
    """Tells users of one server apart; empty when it does not say."""
    name: str
    company: str


async def _interview(guide: Guide, settings: Mapping[str, str], secret: Secret | None = None) -> NewAccount:
    from kai_tui.backends.knowrithm.access import ApiKey, Login
    from kai_tui.backends.knowrithm.address import DEFAULT

    address = await guide.ask_until(
        Field(
            _ADDRESS,
            "Address of the server",
            help="The usual one is Knowrithm's own. A server of yours answers behind /api.",
            example=DEFAULT,
            default=settings.get(_ADDRESS, DEFAULT),
        ),
        "looking for Knowrithm",
        _find,
    )
    kept = credential_of(secret) if address == settings.get(_ADDRESS) else None
    way = await guide.ask(
        Field(
            _WAY,
            "Sign in with",
            kind="choice",
            default=settings.get(_WAY, "key"),
            choices=(
                Choice("key", "key and secret", "from the settings of your company; they last"),
                Choice("login", "e-mail and password", "the sign-in renews itself while it is used"),
            ),
        )
    )
    email = ""
    if way == "login":
        email = await guide.ask(
            Field(_EMAIL, "E-mail", example="you@example.com", default=settings.get(_EMAIL, ""))
        )
        still = kept if isinstance(kept, Login) and email == settings.get(_EMAIL) else None
        person = await guide.ask_until(
            Field(
                "password",
                "Password",
                kind="secret",
                help="Only the sign-in is kept, never the password."
                + (" Leave it empty to keep the sign-in there is." if still else ""),
                required=still is None,
            ),
            "signing in",
            lambda password: _signed_in(address, email, password, still),
        )
    else:
        same = kept if isinstance(kept, ApiKey) else None
        key = await guide.ask(
            Field(
                "key",
                "Key",
                kind="secret",
                help="It needs the scopes read and write."
                + (" Leave key and secret empty to keep those there are." if same else ""),
                required=same is None,
            )
        )
        person = await guide.ask_until(
            Field("secret", "Secret of the key", kind="secret", required=same is None or bool(key)),
            "checking the key",
            lambda text: _with_key(address, key, text, same),
        )
    guide.tell(f"Signed in as {person.name}." if person.name else "The key is good.")
    agents = await guide.check("reading the agents", lambda: _agents(address, person.credential))
    agent = await ask_agent(guide, agents, settings.get(AGENT, LAST_USED), where="Knowrithm")
    return NewAccount(
        label=person.company or person.name or address.partition("://")[2].partition("/")[0],
        address=address,
        settings={_ADDRESS: address, _WAY: way, _EMAIL: email, _OWNER: person.owner, AGENT: agent},
        secret=secret_of(person.credential),
    )


# Checks


async def _find(typed: str) -> str:
    """The base address, once something answers there that is no website."""
    from kai_tui.backends.base import NotFound, TokenRefused, UnexpectedAnswer
    from kai_tui.backends.knowrithm.access import KnowrithmAccess
    from kai_tui.backends.knowrithm.address import knowrithm_address

    access = KnowrithmAccess(knowrithm_address(typed), None)
    try:
        for path in ("/health", "/v1/health"):  # the sources differ on where it is (§10)
            try:
                answer = await access.door.request("GET", path, auth=False, also=(404,))
            except TokenRefused:
                return access.door.base_url
            if answer.status == 200 and "html" not in answer.media_type:
                return access.door.base_url
    except UnexpectedAnswer:
        pass  # a page of some website
    finally:
        await access.door.aclose()
    raise NotFound(f"There is no Knowrithm at {access.host}. Check the address.", code="address")


async def _with_key(address: str, key: str, text: str, kept: Credential | None) -> _Person:
    from kai_tui.backends.base import TokenRefused
    from kai_tui.backends.knowrithm.access import ApiKey

    if not key and kept is not None:
        return await _whose(address, kept)
    try:
        return await _whose(address, ApiKey(Secret(key), Secret(text)))
    except TokenRefused as error:
        raise TokenRefused(
            "Key and secret were not accepted. Check both; a step back leads to the key.",
            code="key",
            status=error.status,
            detail=error.sentence,
        ) from None


async def _signed_in(address: str, email: str, password: str, kept: Credential | None) -> _Person:
    from kai_tui.backends.base import TokenRefused
    from kai_tui.backends.knowrithm.access import Login, sign_in

    if not password and isinstance(kept, Login):
        try:
            # Without its renewal token: that is good once, and may be needed where the account is open.
            return replace(await _whose(address, Login(kept.access), email), credential=kept)
        except TokenRefused as error:
            sentence = "The sign-in there is has run out. Type the password."
            raise TokenRefused(sentence, code="login", status=error.status) from None
    return await _whose(address, await sign_in(address, email, Secret(password)), email)


async def _whose(address: str, credential: Credential, email: str = "") -> _Person:
    """Whether it is taken, and who that is."""
    from kai_tui.backends.base import NotAllowed, NotFound
    from kai_tui.backends.knowrithm.client import KnowrithmBackend

    backend = KnowrithmBackend(address, credential)
    try:
        try:
            who = await backend.who()
        except NotFound:
            who = {}  # an older server, which cannot be asked (§2)
        except NotAllowed as error:
            if error.code == "locked":
                raise
            who = {}
    finally:
        await backend.aclose()
    user, company = _fields(who.get("user")), _fields(who.get("company"))
    return _Person(
        credential=credential,
        owner=_text(user, "id", "email") or email or _text(company, "id", "name"),
        name=_text(user, "email", "first_name") or email,
        company=_text(company, "name"),
    )


async def _agents(address: str, credential: Credential) -> Sequence[Agent] | None:
    from kai_tui.backends.base import NotAllowed, NotFound
    from kai_tui.backends.knowrithm.client import KnowrithmBackend

    backend = KnowrithmBackend(address, credential)
    try:
        return await backend.agents.list()
    except (NotAllowed, NotFound):
        return None
    finally:
        await backend.aclose()


def _fields(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(fields: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


# Opening


async def _open(settings: Mapping[str, str], secret: Secret | None, memory: Memory) -> Backend:
    from kai_tui.backends.base import TokenRefused
    from kai_tui.backends.chosen_agents import begin_with
    from kai_tui.backends.knowrithm.access import Login
    from kai_tui.backends.knowrithm.client import KnowrithmBackend
    from kai_tui.backends.knowrithm.kept_names import KeptNames

    credential = credential_of(secret)
    if credential is None:
        raise TokenRefused("There is no sign-in for this account. Sign in again.", code="no-token")

    async def keep(login: Login) -> None:
        await memory.keep_secret(secret_of(login))

    async def kept_meanwhile() -> Login | None:
        found = credential_of(await memory.secret())
        return found if isinstance(found, Login) else None

    names = KeptNames(memory)
    agent = settings.get(AGENT, LAST_USED)
    await begin_with(memory, "" if agent == LAST_USED else agent)
    return KnowrithmBackend(
        settings.get(_ADDRESS, ""),
        credential,
        memory=memory,
        names=await names.load(),
        on_name=names.learn,
        keep=keep,
        kept_meanwhile=kept_meanwhile,
        before_closing=names.flush,
    )


def secret_of(credential: Credential) -> Secret:
    """A credential as one text, for the keyring."""
    from kai_tui.backends.knowrithm.access import ApiKey

    if isinstance(credential, ApiKey):
        parts = {"key": credential.key.reveal(), "secret": credential.secret.reveal()}
    else:
        parts = {"access": credential.access.reveal()}
        if credential.refresh is not None:
            parts["refresh"] = credential.refresh.reveal()
    return Secret(json.dumps(parts))


def credential_of(secret: Secret | None) -> Credential | None:
    """The credential in a text; None when it is none of ours."""
    from kai_tui.backends.knowrithm.access import ApiKey, Login

    try:
        found: Any = json.loads(secret.reveal()) if secret else None
    except ValueError:
        return None
    parts = {
        name: Secret(value) for name, value in _fields(found).items() if isinstance(value, str) and value
    }
    if {"key", "secret"} <= parts.keys():
        return ApiKey(parts["key"], parts["secret"])
    return Login(parts["access"], parts.get("refresh")) if "access" in parts else None


def _identity(settings: Mapping[str, str]) -> tuple[str, ...]:
    return (settings.get(_ADDRESS, ""), settings.get(_OWNER, ""))


SYSTEM: Final = System(
    kind="knowrithm",
    title="Knowrithm",
    about="Agents that answer from your company's documents. You need a key, or e-mail and password.",
    interview=_interview,
    identity=_identity,
    open=_open,
    lacks=(
        "Answers arrive whole, after a while: the server does not stream.",
        "Stopping only ends the waiting: the server goes on, and its answer is there at the next reload.",
        "It has no tools that ask for a yes, and no suggestions.",
        "Votes that were given elsewhere can be read, but not given here.",
        "Chats get their title from their first message and cannot be renamed.",
        "Nothing but text goes with a message; documents and websites belong to the agent.",
    ),
)

"""iMBRACE as a system: where it is, who asks, for which organisation, through which agent (imbrace.md §1, §2, §10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kai_tui.backends.ask_agent import AGENT, LAST_USED, ask_agent
from kai_tui.backends.secret import Secret
from kai_tui.backends.system import Choice, Field, Guide, Memory, NewAccount, System

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend
    from kai_tui.backends.imbrace.checks import Member, SignedIn
    from kai_tui.backends.imbrace.places import Places

CUSTOM: Final = "custom"
"""As an environment: a gateway of one's own."""
KEEP: Final = "keep"
"""As a way to sign in: with what is kept."""
_WHERE: Final = ("environment", "gateway", "ai_agent")
_IDENTITY: Final = (*_WHERE, "organization", "user")
_ENVIRONMENTS: Final = (
    Choice("stable", "iMBRACE", "the usual one"),
    Choice("sandbox", "Sandbox"),
    Choice("develop", "Development"),
    Choice(CUSTOM, "another gateway", "by its address"),
)
_WAYS: Final = (
    Choice("key", "API key", "begins with api_"),
    Choice("token", "access token", "begins with acc_, or is a JWT"),
    Choice("code", "e-mail and a code", "a code is sent to you"),
    Choice("password", "e-mail and password"),
)
_LASTING: Final = (
    Choice("0", "no key", "sign in again when the token has run out"),
    Choice("10", "a key for 10 days"),
    Choice("30", "a key for 30 days"),
    Choice("90", "a key for 90 days"),
)


async def _interview(guide: Guide, settings: Mapping[str, str], secret: Secret | None = None) -> NewAccount:
    from kai_tui.backends.imbrace.checks import agents_of

    found = await _ask_where(guide, settings)
    where = places_of(found)
    same_place = all(found[name] == settings.get(name, "") for name in _WHERE)
    member = await _sign_in(guide, settings, found, where, secret if same_place else None)
    found["organization"], found["user"] = member.organization, member.person.id or member.person.email
    guide.tell(f"Signed in as {member.person.email or 'the owner of this key'}.")
    agents = await guide.check("reading the agents", lambda: agents_of(where, member))
    found[AGENT] = await ask_agent(guide, agents, settings.get(AGENT, LAST_USED), where="iMBRACE")
    found.update(await _ask_more(guide, settings))
    return NewAccount(
        label=member.name or member.organization or where.gateway.partition("://")[2],
        address=where.gateway,
        settings=found,
        secret=member.credential,
    )


async def _ask_where(guide: Guide, settings: Mapping[str, str]) -> dict[str, str]:
    from kai_tui.backends.imbrace.checks import reach

    async def reached(environment: str) -> str:
        if environment != CUSTOM:
            await reach(places_of({"environment": environment}))
        return environment

    environment = await guide.ask_until(
        Field(
            "environment",
            "Environment",
            kind="choice",
            default=settings.get("environment", "stable"),
            choices=_ENVIRONMENTS,
        ),
        "asking who is there",
        reached,
    )
    found = {"environment": environment, "gateway": "", "ai_agent": ""}
    if environment != CUSTOM:
        return found

    async def gateway(typed: str) -> str:
        return places_of({"environment": CUSTOM, "gateway": typed}).gateway

    found["gateway"] = await guide.ask_until(
        Field(
            "gateway",
            "Address of the gateway",
            help="All services are behind it.",
            example="https://gateway.example.com",
            default=settings.get("gateway", ""),
        ),
        "looking at the address",
        gateway,
    )

    async def reached_there(typed: str) -> str:
        await reach(places_of({**found, "ai_agent": typed}))
        return typed

    found["ai_agent"] = await guide.ask_until(
        Field(
            "ai_agent",
            "Address of the AI agent service, if it is elsewhere",
            help="One that is run by itself answers behind /api. Empty: it is behind the gateway.",
            example="http://localhost:3000/api",
            default=settings.get("ai_agent", ""),
            required=False,
        ),
        "asking who is there",
        reached_there,
    )
    return found


async def _sign_in(
    guide: Guide, settings: Mapping[str, str], found: dict[str, str], where: Places, kept: Secret | None
) -> Member:
    """Who asks, member of one organisation. The way there goes into `found`."""
    from kai_tui.backends.imbrace.checks import still_there, taken

    async def looked(way: str) -> tuple[str, Member | None]:
        if way != KEEP or not kept:
            return way, None
        return way, await still_there(where, kept, settings.get("organization", ""))

    way, member = await guide.ask_until(
        Field(
            "way",
            "Sign in with",
            kind="choice",
            default=KEEP if kept else settings.get("way", "key"),
            choices=(Choice(KEEP, "the sign-in there is"), *_WAYS) if kept else _WAYS,
        ),
        "looking at it",
        looked,
    )
    if member is not None:
        found["way"], found["email"] = settings.get("way", "key"), settings.get("email", "")
        found["organization_name"] = settings.get("organization_name", "")
        return replace(member, name=found["organization_name"])
    found["way"], found["email"] = way, ""
    if way in ("code", "password"):
        found["email"], signed_in = await _by_email(guide, settings, where, way)
    else:
        signed_in = await guide.ask_until(
            Field(
                "credential",
                "API key" if way == "key" else "Access token",
                kind="secret",
                help="From the settings of your organisation." if way == "key" else "",
                example="api_…" if way == "key" else "acc_…",
            ),
            "asking whether it is good",
            lambda typed: taken(where, typed),
        )
    member = await _choose_organization(guide, settings, where, signed_in)
    found["organization_name"] = member.name
    return await _make_lasting(guide, where, member) if signed_in.login is not None else member


async def _by_email(
    guide: Guide, settings: Mapping[str, str], where: Places, way: str
) -> tuple[str, SignedIn]:
    from kai_tui.backends.imbrace.checks import SignedIn
    from kai_tui.backends.imbrace.login import log_in, request_code

    question = Field("email", "E-mail", example="you@example.com", default=settings.get("email", ""))
    if way == "password":
        email = await guide.ask(question)
        login = await guide.ask_until(
            Field("password", "Password", kind="secret", help="It is kept nowhere."),
            "signing in",
            lambda typed: log_in(where, email, password=Secret(typed)),
        )
    else:

        async def send(typed: str) -> str:
            await request_code(where, typed)
            return typed

        email = await guide.ask_until(question, "having a code sent", send)
        login = await guide.ask_until(
            Field(
                "code",
                "Code",
                kind="secret",
                help="From the e-mail that was sent to you. A step back sends another one.",
            ),
            "signing in",
            lambda typed: log_in(where, email, code=Secret(typed)),
        )
    return email, SignedIn(login.token, login, login.organizations)


async def _choose_organization(
    guide: Guide, settings: Mapping[str, str], where: Places, signed_in: SignedIn
) -> Member:
    from kai_tui.backends.imbrace.checks import member_of

    known = signed_in.organizations
    doing = "opening the organisation"
    if len(known) == 1:
        guide.tell(f"Organisation {known[0].name or known[0].id}.")
        return await guide.check(doing, lambda: member_of(where, signed_in, known[0].id))
    default = settings.get("organization", "")
    if known:
        ids = [each.id for each in known]
        question = Field(
            "organization",
            "Organisation",
            kind="choice",
            default=default if default in ids else ids[0],
            choices=tuple(Choice(each.id, each.name or each.id) for each in known),
        )
    else:
        question = Field(
            "organization",
            "Organisation id",
            help="This sign-in does not tell. Empty where the gateway knows it from the key.",
            example="org_…",
            default=default,
            required=signed_in.login is not None,
        )
    return await guide.ask_until(question, doing, lambda typed: member_of(where, signed_in, typed))


async def _make_lasting(guide: Guide, where: Places, member: Member) -> Member:
    """A key in the place of the token, when the user wants one."""
    from kai_tui.backends.imbrace.login import lasting_key

    days = await guide.ask(
        Field(
            "lasting",
            "Make a key that lasts",
            kind="choice",
            help="A sign-in ends by itself, nobody says when. A key is made at iMBRACE and stays until it expires.",
            default="0",
            choices=_LASTING,
        )
    )
    if days == "0":
        return member
    key = await guide.check(
        "making the key",
        lambda: lasting_key(where, member.credential, member.organization, days=int(days)),
    )
    guide.tell(f"The key is good until {key.expires}." if key.expires else "The key is made.")
    return replace(member, credential=key.key)


async def _ask_more(guide: Guide, settings: Mapping[str, str]) -> dict[str, str]:
    found = {"model": "", "provider": "", "board": ""}
    used = any(settings.get(name) for name in found)
    more = await guide.ask(
        Field(
            "more",
            "Use another model, or lock a board",
            kind="switch",
            help="Agents have a model of their own, and use the boards they may.",
            default="yes" if used else "no",
        )
    )
    if more == "no":
        return found
    for name, label, note in (
        ("model", "Model id", "In the place of the agent's own; only together with a provider."),
        ("provider", "Provider id of the model", ""),
        ("board", "Board id", "Tools for data boards may use this one only."),
    ):
        found[name] = await guide.ask(
            Field(name, label, help=note, default=settings.get(name, ""), required=False)
        )
    if bool(found["model"]) != bool(found["provider"]):
        guide.tell("A model needs its provider, and the other way round: neither is used.")
        found["model"] = found["provider"] = ""
    return found


def places_of(settings: Mapping[str, str]) -> Places:
    """Where the services of an account are. Raises CannotConnect for addresses a credential must not go to."""
    from kai_tui.backends.base import CannotConnect
    from kai_tui.backends.imbrace.places import DEFAULT_ENVIRONMENT, ENVIRONMENTS, places

    environment = settings.get("environment", DEFAULT_ENVIRONMENT)
    if environment != CUSTOM:
        if environment not in ENVIRONMENTS:
            raise CannotConnect("This account names an environment nobody knows.", code="address")
        return places(environment)
    return places(settings.get("gateway", ""), {"ai_agent": settings.get("ai_agent", "")})


async def _open(settings: Mapping[str, str], secret: Secret | None, memory: Memory) -> Backend:
    from kai_tui.backends.base import TokenRefused
    from kai_tui.backends.chosen_agents import begin_with
    from kai_tui.backends.imbrace.client import ImbraceBackend

    where = places_of(settings)
    if not secret:
        raise TokenRefused("There is no sign-in for this account. Sign in again.", code="no-token")
    agent = settings.get(AGENT, LAST_USED)
    await begin_with(memory, "" if agent == LAST_USED else agent)
    model, provider = settings.get("model", ""), settings.get("provider", "")
    backend = ImbraceBackend(
        where,
        secret,
        organization=settings.get("organization", ""),
        model=(model, provider) if model and provider else None,
        board=settings.get("board", ""),
        memory=memory,
    )
    # What a chat can do depends on its agent, and sessions ask that before anything is sent.
    await backend.recall_agents()
    return backend


def _identity(settings: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(settings.get(name, "") for name in _IDENTITY)


SYSTEM: Final = System(
    kind="imbrace",
    title="iMBRACE",
    about="Agents of your organisation, with tools and documents. You need a key, a token, or your e-mail.",
    interview=_interview,
    identity=_identity,
    open=_open,
    lacks=(
        "Stopping only hangs up: the server goes on, and its answer is there when it is done.",
        "An answer that broke off cannot be taken up where it was; it is read once it is finished.",
        "Some agents answer in one piece, and the server does not keep their answers: they are kept here.",
        "Chats get their titles from the server, late, and cannot be renamed.",
        "A vote can be changed but not taken back, and no usage is told.",
        "Which tools ask, and what agents are told, is set in iMBRACE itself.",
        "Files go with a message by their address only. A bare model takes none, has no tools, and its chats "
        "are kept on this computer.",
    ),
)

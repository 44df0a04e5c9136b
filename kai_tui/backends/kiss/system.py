"""KISS AI Stack as a system: where it is, who we are to it, and what goes with a question (kiss-ai-stack.md §1, §2, §9)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from kai_tui.backends.secret import Secret
from kai_tui.backends.system import Choice, Field, Guide, Memory, NewAccount, System

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend
    from kai_tui.backends.kiss.access import KissClient

_ADDRESS: Final = "address"
_SCOPE: Final = "scope"
_EARLIER: Final = "send_earlier"
_KNOWN: Final = "known"
"""As an answer: somebody has a client already, from another computer."""
_NOT_A_STACK: Final = (200, 201, 204, 404, 405)
"""What a server says to a sign-in with nothing in it when it is another one; a stack says 401 (§2)."""


@dataclass(frozen=True, slots=True)
class _Registered:
    """What registering came to."""

    scope: str
    client: KissClient | None
    """None for a temporary one: it was closed again, and each start makes its own."""
    notices: tuple[str, ...]


async def _interview(guide: Guide, settings: Mapping[str, str], secret: Secret | None = None) -> NewAccount:
    address = await guide.ask_until(
        Field(
            _ADDRESS,
            "Address of the stack",
            help="Host and port. https is used, but on this computer http; type it in front to decide yourself.",
            example="localhost:8080",
            default=settings.get(_ADDRESS, ""),
        ),
        "looking for the stack",
        _find,
    )
    known = client_of(secret) if address == settings.get(_ADDRESS) else None

    registered = await guide.ask_until(
        Field(
            _SCOPE,
            "This program is known to the stack",
            kind="choice",
            help="Documents belong to whoever uploaded them: a stack gives them to nobody else.",
            default=settings.get(_SCOPE, "persistent"),
            choices=(
                Choice("persistent", "for good", "documents stay until the stack forgets them"),
                Choice("temporary", "until it is closed", "the stack deletes its documents when you leave"),
                Choice(_KNOWN, "as a client it knows", "you have its id and secret; its documents are yours"),
            ),
        ),
        "registering this program",
        lambda scope: _registered(address, scope, known),
    )
    if registered is None:
        client_id = await guide.ask(Field("client_id", "Client id", help="As the stack gave it out."))
        registered = await guide.ask_until(
            Field("client_secret", "Client secret", kind="secret"),
            "asking whether the stack knows it",
            lambda typed: _known(address, client_id, typed),
        )
    for notice in registered.notices:
        guide.tell(notice)
    earlier = await guide.ask(
        Field(
            _EARLIER,
            "Send earlier turns with each question",
            kind="switch",
            help="The stack remembers nothing. With this, the turns before a question go along as text.",
            default="yes" if settings.get(_EARLIER) == "yes" else "no",
        )
    )
    return NewAccount(
        label=address.partition("://")[2],
        address=address,
        settings={_ADDRESS: address, _SCOPE: registered.scope, _EARLIER: earlier},
        secret=secret_of(registered.client) if registered.client is not None else None,
    )


async def _find(typed: str) -> str:
    """The base address of a stack. A sign-in with nothing in it changes nothing and is told from all else (§2)."""
    from kai_tui.backends.base import BackendError, NotFound
    from kai_tui.backends.http import HttpDoor
    from kai_tui.backends.kiss.address import stack_address
    from kai_tui.backends.refusals import read_refusal

    door = HttpDoor(stack_address(typed))
    try:
        answer = await door.request("POST", "/auth", body={}, auth=False, also=(400, 401, 404, 405, 422))
        said = read_refusal(answer.content, answer.media_type).message
        if answer.status in _NOT_A_STACK or not said:
            raise NotFound(
                f"There is no KISS AI Stack at {door.host}. Check the address.", status=answer.status
            )
    except BackendError as error:
        if error.status is not None and 300 <= error.status < 500 and not isinstance(error, NotFound):
            raise NotFound(
                f"There is no KISS AI Stack at {door.host}. Check the address.", status=error.status
            ) from None
        raise
    finally:
        await door.aclose()
    return door.base_url


async def _registered(address: str, scope: str, known: KissClient | None) -> _Registered | None:
    """None when the user has a client, which is asked for next."""
    if scope == _KNOWN:
        return None
    return await _register(address, "temporary" if scope == "temporary" else "persistent", known)


async def _known(address: str, client_id: str, client_secret: str) -> _Registered:
    """Whether a client is known, told without making another one in its place (§2)."""
    from kai_tui.backends.base import TokenRefused
    from kai_tui.backends.http import HttpDoor
    from kai_tui.backends.kiss.access import KissClient
    from kai_tui.backends.kiss.wire import auth_body

    door = HttpDoor(address)
    try:
        await door.request("POST", "/auth", body=auth_body(None, client_id, client_secret), auth=False)
    except TokenRefused as error:
        raise TokenRefused(
            "The stack does not know this id with this secret. A step back leads to the id.",
            code="login",
            status=error.status,
        ) from None
    finally:
        await door.aclose()
    return await _register(address, "persistent", KissClient(client_id, Secret(client_secret), "persistent"))


async def _register(
    address: str, scope: Literal["temporary", "persistent"], known: KissClient | None
) -> _Registered:
    """Sign in and start the stack once, as a client that is kept or as one that is closed again."""
    from kai_tui.backends.kiss.client import KissBackend

    kept = known if known is not None and known.scope == scope == "persistent" else None
    notices: list[str] = []

    async def keep(client: KissClient | None) -> None:
        nonlocal kept
        kept = client

    backend = KissBackend(address, scope=scope, known=kept, keep=keep)
    backend.on_notice = notices.append
    try:
        await backend.connect()
    finally:
        await backend.aclose()
    return _Registered(scope, kept if scope == "persistent" else None, tuple(notices))


async def _open(settings: Mapping[str, str], secret: Secret | None, memory: Memory) -> Backend:
    from kai_tui.backends.kiss.client import KissBackend

    known = client_of(secret)

    async def keep(client: KissClient | None) -> None:
        await memory.keep_secret(secret_of(client) if client is not None else Secret(""))

    async def keep_nothing(client: KissClient | None) -> None:
        """Another window keeps its own under the same name."""

    temporary = settings.get(_SCOPE) == "temporary"
    # Somebody's who is still there: closing it would delete what that window uploaded.
    others = temporary and not await memory.alone()
    return KissBackend(
        settings.get(_ADDRESS, ""),
        chats=memory.chats,
        scope="temporary" if temporary else "persistent",
        known=None if others else known,
        keep=keep_nothing if others else keep,
        send_earlier=settings.get(_EARLIER) == "yes",
    )


def secret_of(client: KissClient) -> Secret:
    """Who we are to a stack, for the keyring."""
    return Secret(
        json.dumps(
            {
                "client_id": client.client_id,
                "client_secret": client.client_secret.reveal(),
                "scope": client.scope,
            }
        )
    )


def client_of(secret: Secret | None) -> KissClient | None:
    """Who we are to a stack; None when the text is none of ours."""
    from kai_tui.backends.kiss.access import KissClient

    try:
        found: Any = json.loads(secret.reveal()) if secret else None
    except ValueError:
        return None
    values = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    client_id, client_secret = values.get("client_id"), values.get("client_secret")
    if not isinstance(client_id, str) or not isinstance(client_secret, str) or not client_secret:
        return None
    return KissClient(
        client_id, Secret(client_secret), "temporary" if values.get("scope") == "temporary" else "persistent"
    )


def _identity(settings: Mapping[str, str]) -> tuple[str, ...]:
    return (settings.get(_ADDRESS, ""),)


SYSTEM: Final = System(
    kind="kiss",
    title="KISS AI Stack",
    short="KISS",
    about="A small stack of your own: one question, one answer. You need its address.",
    interview=_interview,
    identity=_identity,
    open=_open,
    chats_here=True,
    lacks=(
        "Answers arrive whole, after a while: the stack does not stream.",
        "It remembers nothing. Chats are kept on this computer, and each question stands alone unless earlier "
        "turns are sent with it.",
        "Stopping only hangs up: the stack finishes its answer and throws it away.",
        "It has no tools that ask for a yes, no votes, no agents to choose and no suggestions.",
        "Documents can be uploaded, but the stack neither lists nor deletes them.",
        "Titles of chats are made here, and it tells no usage and no version.",
    ),
)

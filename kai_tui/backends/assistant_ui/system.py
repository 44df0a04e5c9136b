"""Assistant UI as a system: an address, and how one speaks to the server behind it (assistant-ui.md §1-§6, §12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from kai_tui.backends.system import Choice, Field, Guide, Memory, NewAccount, System

if TYPE_CHECKING:
    from kai_tui.backends.assistant_ui.config import AssistantUiConfig
    from kai_tui.backends.base import Backend
    from kai_tui.backends.secret import Secret
    from kai_tui.conversation.events import JsonObject

    Headers: TypeAlias = Mapping[str, Secret | str]

_MISSING: Final = (404, 405, 501)
_WAYS: Final = (
    Choice("none", "nothing", "the server asks nobody who they are"),
    Choice("headers", "headers", "a token, or several headers; kept in the keyring"),
    Choice("command", "a command", "a program prints the token or the headers before every request"),
)
_FORMS: Final = (
    Choice("commands", "commands", "what is new; the usual way"),
    Choice("messages", "messages", "the older way: the conversation goes along"),
    Choice("ui-messages", "UI messages", "for servers on the AI SDK"),
)
_ENCODINGS: Final = (
    Choice("auto", "found by itself", "told from each answer"),
    Choice("data-stream", "data stream"),
    Choice("transport", "assistant transport"),
    Choice("ui-messages", "UI message stream"),
    Choice("openai", "OpenAI chunks"),
    Choice("plain", "plain text"),
    Choice("json", "JSON"),
)


async def _interview(guide: Guide, settings: Mapping[str, str], secret: Secret | None = None) -> NewAccount:
    from kai_tui.backends.assistant_ui.settings import USUAL, config_of, parts_of, secret_of

    before = {**USUAL, **settings}
    found: dict[str, str] = {}
    address = await guide.ask_until(
        Field(
            "address",
            "Address of the server",
            help="Without the path of the chat. https is used, but on this computer http.",
            example="http://localhost:8000",
            default=before.get("address", ""),
        ),
        "looking for the server",
        _reach,
    )
    found["address"] = address
    found["chat_path"], guarded = await guide.ask_until(
        Field(
            "chat_path",
            "Path of the chat",
            help="Often /api/chat or /assistant.",
            example="/api/chat",
            default=before["chat_path"],
        ),
        "sending an empty request there",
        lambda path: _look(address, path),
    )
    guide.tell("It wants to know who asks." if guarded else "It answers whoever asks.")
    kept_headers, kept_fields = parts_of(secret if address == settings.get("address") else None)
    unsure = "sign_in" not in settings and guarded
    headers = await _who(guide, before, found, kept_headers, guarded=unsure)
    fields: JsonObject = {}
    changed = bool(settings.get("name")) or any(
        name in settings and settings[name] != usual for name, usual in _more(USUAL).items()
    )
    more = await guide.ask(
        Field(
            "more",
            "Set the rest yourself",
            kind="switch",
            help="Other paths, request and answer, system prompt, tools, or a second account here. Else all is as usual.",
            default="yes" if changed else "no",
        )
    )
    found["name"] = ""
    if more == "yes":
        fields = await _the_rest(guide, before, found, kept_fields)
    found["secret_fields"] = "yes" if fields else ""
    new_secret = secret_of(headers, fields)
    config_of(found, new_secret)  # whatever fits not together says so now
    return NewAccount(
        label=found["name"] or address.partition("://")[2],
        address=address,
        settings=found,
        secret=new_secret,
    )


def _more(usual: Mapping[str, str]) -> dict[str, str]:
    first = ("chat_path", "sign_in", "command_header", "command_scheme", "command_timeout")
    return {name: value for name, value in usual.items() if name not in first}


async def _who(
    guide: Guide, before: Mapping[str, str], found: dict[str, str], kept: Headers, *, guarded: bool
) -> Headers:
    """Who asks: the answers go into `found`, headers come back."""
    found["sign_in"] = await guide.ask(
        Field(
            "sign_in",
            "Sign in with",
            kind="choice",
            default="headers" if guarded else before["sign_in"],
            choices=_WAYS,
        )
    )
    if found["sign_in"] == "headers":
        return await guide.ask_until(
            Field(
                "headers",
                "Token or headers",
                kind="secret",
                help="A token alone goes behind “Bearer”. A header is Name: value; several are a JSON object."
                + (" Leave it empty to keep those there are." if kept else ""),
                example="Authorization: Bearer …",
                required=not kept,
            ),
            "asking the server with them",
            lambda typed: _with_headers(found, typed, kept),
        )
    if found["sign_in"] == "command":
        for field in _command_fields(before):
            found[field.name] = await guide.ask(field)
        found["command"] = await guide.ask_until(
            Field(
                "command",
                "Command",
                help="Run without a shell: quotes work, pipes and variables do not. It prints a token or a JSON object.",
                example="my-token-helper --audience chat",
                default=before.get("command", ""),
            ),
            "running it and asking the server",
            lambda typed: _with_command(found, typed),
        )
    return {}


def _command_fields(before: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field(
            "command_header",
            "Header for a printed token",
            default=before["command_header"] or "authorization",
        ),
        Field(
            "command_scheme",
            "Word before the token",
            help="Empty for none.",
            default=before["command_scheme"],
            required=False,
        ),
        Field(
            "command_timeout",
            "Seconds the command may take",
            default=before["command_timeout"],
        ),
    )


async def _the_rest(
    guide: Guide, before: Mapping[str, str], found: dict[str, str], kept: JsonObject
) -> JsonObject:
    """All that can be set goes into `found`; the fields that are secret come back."""

    async def checked(field: Field) -> None:
        """Ask until what is known so far can work together with this answer."""
        found[field.name] = await guide.ask_until(
            field, "looking at it", lambda typed: _fits(found, field.name, typed)
        )

    for name, label, note in (
        ("cancel_path", "Path to stop an answer", "Empty: hanging up is the only way."),
        ("resume_path", "Path to take up a broken answer", "Empty: there is none. Its id is added."),
        ("health_path", "Path of its health", "Empty: there is none."),
    ):
        await checked(Field(name, label, help=note, default=before[name], required=False))
    found["form"] = await guide.ask(
        Field("form", "A request carries", kind="choice", default=before["form"], choices=_FORMS)
    )
    found["encoding"] = await guide.ask(
        Field("encoding", "An answer is", kind="choice", default=before["encoding"], choices=_ENCODINGS)
    )
    found["system"] = await guide.ask(
        Field(
            "system",
            "System prompt",
            kind="lines",
            help="Goes with every message, where the server reads it.",
            default=before["system"],
            required=False,
        )
    )
    await checked(
        Field(
            "tools",
            "Tools you answer yourself",
            kind="lines",
            help="JSON by name: description and parameters. A call of theirs asks you for the value.",
            example='{"get_location": {"description": "Where the user is", "parameters": {"type": "object"}}}',
            default=before["tools"],
            required=False,
        )
    )
    found["asks_user"] = await guide.ask(
        Field(
            "asks_user",
            "Tools of the server that ask you",
            help="Names, with commas between them.",
            default=before["asks_user"],
            required=False,
        )
    )
    for name, label, note in (
        ("first_state", "State of a new chat", "JSON. Empty: none is sent."),
        ("run_config", "Run configuration", "A JSON object; empty for none."),
        ("extra", "Further fields of a request", "A JSON object; empty for none."),
    ):
        await checked(Field(name, label, kind="lines", help=note, default=before[name], required=False))
    fields = await guide.ask_until(
        Field(
            "fields",
            "Secret fields of a request",
            kind="secret",
            help="A JSON object, kept in the keyring."
            + (" Empty keeps those there are; {} is none." if kept else " Empty for none."),
            example='{"config": {"apiKey": "…"}}',
            required=False,
        ),
        "looking at it",
        lambda typed: _secret_fields(typed, kept),
    )
    found["name"] = await guide.ask(
        Field(
            "name",
            "Told from another account here by",
            help="A word, when there is another account of this address and path. Each has its own chats.",
            default=before.get("name", ""),
            required=False,
        )
    )
    return fields


# Checks


async def _fits(found: Mapping[str, str], name: str, typed: str) -> str:
    from kai_tui.backends.assistant_ui.settings import config_of

    config_of({**found, name: typed, "sign_in": "none"}, None)
    return typed


async def _secret_fields(typed: str, kept: JsonObject) -> JsonObject:
    from kai_tui.backends.assistant_ui.settings import object_of

    return object_of(typed, "The secret fields") if typed else kept


async def _reach(typed: str) -> str:
    """Somebody answers there, whatever it says."""
    from kai_tui.backends.assistant_ui.settings import server_address
    from kai_tui.backends.base import BackendError
    from kai_tui.backends.http import HttpDoor

    door = HttpDoor(server_address(typed))
    try:
        await door.request("GET", "/", auth=False)
    except BackendError as error:
        if error.status is None or error.status >= 500:
            raise
    finally:
        await door.aclose()
    return door.base_url


async def _look(address: str, path: str) -> tuple[str, bool]:
    """The path, and whether the server wants to know who asks."""
    from kai_tui.backends.assistant_ui.settings import config_of
    from kai_tui.backends.base import NotAllowed, TokenRefused

    path = path if path.startswith("/") else f"/{path}"
    try:
        await _probe(config_of({"address": address, "chat_path": path}, None))
    except (TokenRefused, NotAllowed):
        return path, True
    return path, False


async def _with_headers(found: Mapping[str, str], typed: str, kept: Headers) -> Headers:
    from kai_tui.backends.assistant_ui.settings import config_of, headers_of, secret_of

    headers = headers_of(typed) if typed or not kept else kept
    await _taken(config_of(found, secret_of(headers, {})), "these headers")
    return headers


async def _with_command(found: Mapping[str, str], typed: str) -> str:
    from kai_tui.backends.assistant_ui.settings import config_of

    await _taken(config_of({**found, "command": typed}, None), "what the command printed")
    return typed


async def _taken(config: AssistantUiConfig, what: str) -> None:
    from kai_tui.backends.base import NotAllowed, TokenRefused

    try:
        await _probe(config)
    except (TokenRefused, NotAllowed) as error:
        if error.status is None:
            raise  # the command gave nothing to use
        kind = type(error)
        raise kind(
            f"The server did not take {what} ({error.status}).", status=error.status, detail=error.detail
        ) from None


async def _probe(config: AssistantUiConfig) -> None:
    """POST the chat path with nothing in it: a server of this contract refuses that before a model is asked (§3).

    Raises NotFound when nothing is there, TokenRefused and NotAllowed as the server says.
    """
    from kai_tui.backends.assistant_ui.headers import HeaderSource
    from kai_tui.backends.base import BackendError, NotAllowed, NotFound, TokenRefused
    from kai_tui.backends.http import HttpDoor

    door = HttpDoor(config.base_url, credentials=HeaderSource(config))
    try:
        await door.request("POST", config.chat_path, body={})
    except (TokenRefused, NotAllowed):
        raise
    except BackendError as error:
        if error.status in _MISSING:
            raise NotFound(
                f"{door.host} has nothing at {config.chat_path}. Check the path.", status=error.status
            ) from None
        if error.status is None:
            raise
    finally:
        await door.aclose()


async def _open(settings: Mapping[str, str], secret: Secret | None, memory: Memory) -> Backend:
    from kai_tui.backends.assistant_ui.client import AssistantUiBackend
    from kai_tui.backends.assistant_ui.settings import config_of, parts_of
    from kai_tui.backends.base import TokenRefused

    headers, fields = parts_of(secret)
    wanted = settings.get("sign_in") == "headers", settings.get("secret_fields") == "yes"
    if any(wants and not there for wants, there in zip(wanted, (headers, fields), strict=True)):
        raise TokenRefused("The secrets of this account are not here. Sign in again.", code="no-token")
    return AssistantUiBackend(config_of(settings, secret), chats=memory.chats)


def _identity(settings: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(settings.get(name, "") for name in ("address", "chat_path", "name"))


SYSTEM: Final = System(
    kind="assistant-ui",
    title="Assistant UI",
    short="Assistant",
    about="Any server that speaks Assistant UI. You need its address, and a token where it wants one.",
    interview=_interview,
    identity=_identity,
    open=_open,
    chats_here=True,
    lacks=(
        "The server lists no chats: they are kept on this computer, and with them the state it wants back.",
        "There is nothing to approve: a tool that waits asks you for its value.",
        "Only images can go with a message, by their address or as they are.",
        "It has no votes, no agents to choose, no suggestions and no documents.",
        "Titles of chats are made here. Many servers tell no version and no usage.",
        "A broken answer can be taken up again, by itself or with F5, only where the server has a path for it.",
    ),
)

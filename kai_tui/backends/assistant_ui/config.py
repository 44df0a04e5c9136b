"""Everything about one Assistant UI server that has to be configured: the contract fixes nearly nothing.

Light on purpose (no httpx): account screens make these. Protocol: assistant-ui.md, sections named below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from kai_tui.backends.base import Refused
from kai_tui.backends.secret import Secret
from kai_tui.conversation.events import JsonObject

Encoding: TypeAlias = Literal["data-stream", "transport", "ui-messages", "openai", "plain", "json"]
"""How a server writes its answer (§6)."""
RequestForm: TypeAlias = Literal["commands", "messages", "ui-messages"]
"""What a request carries: only what is new (§4); the conversation in the older form besides (§5); or
the conversation as UI messages, for servers on the AI SDK (§9)."""

CHAT_PATH: Final = "/api/chat"
CANCEL_PATH: Final = "/api/cancel"
HEALTH_PATH: Final = "/health"

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_OURS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that decide how bytes are read or where they go."""


@dataclass(frozen=True, slots=True)
class HeaderCommand:
    """A program whose output says who asks: run before every request, without a shell.

    It prints either a token, which goes behind `scheme` into `header`, or a JSON object of headers.
    """

    argv: tuple[str, ...]
    """The program and its arguments. The program is an absolute path or a name found in PATH."""
    header: str = "authorization"
    scheme: str = "Bearer"
    """The word before the token; empty for none."""
    timeout: float = 15.0
    """Seconds after which it is killed."""


@dataclass(frozen=True, slots=True)
class ClientTool:
    """A tool the server's model may call and this program answers: the user is asked for the value (§12)."""

    description: str = ""
    parameters: JsonObject = field(default_factory=lambda: {"type": "object", "properties": {}})
    """JSON schema of its arguments."""


def _first_state() -> Any:
    return {"messages": []}


@dataclass(frozen=True, slots=True)
class AssistantUiConfig:
    """One server as configured. Checked by `checked`."""

    base_url: str
    chat_path: str = CHAT_PATH
    cancel_path: str | None = CANCEL_PATH
    """None: hanging up is the only way to stop."""
    resume_path: str | None = None
    """Where a broken reply can be taken up, without its id (§15)."""
    health_path: str | None = HEALTH_PATH
    headers: Mapping[str, Secret | str] = field(default_factory=dict[str, "Secret | str"])
    header_command: HeaderCommand | None = None
    encoding: Encoding | None = None
    """None: told from the answer (§6)."""
    form: RequestForm = "commands"
    system: str | None = None
    tools: Mapping[str, ClientTool] = field(default_factory=dict[str, ClientTool])
    asks_user: frozenset[str] = frozenset({"ask_user"})
    """Tools of the server itself that ask a person: calls of theirs wait as those of `tools` do (§12)."""
    first_state: Any = field(default_factory=_first_state)
    """`state` of a thread's first request; None sends none (§3)."""
    run_config: JsonObject | None = None
    extra: JsonObject = field(default_factory=dict[str, Any], repr=False)
    """Further fields of every chat request: `callSettings`, `config`, whatever a server wants (§3). Some are secret."""


def checked(config: AssistantUiConfig) -> AssistantUiConfig:
    """The configuration itself. Raises Refused with a sentence for what cannot work; the address is checked by the door."""
    paths = {
        "chat": config.chat_path,
        "cancel": config.cancel_path,
        "resume": config.resume_path,
        "health": config.health_path,
    }
    for what, path in paths.items():
        if path is not None and not _is_path(path):
            raise Refused(
                f"The {what} path has to begin with one / and be a path only, such as {CHAT_PATH}.",
                code="path",
            )
    for name in config.headers:
        check_header_name(name)
    if config.header_command is not None:
        check_header_name(config.header_command.header)
        if not config.header_command.argv or not config.header_command.argv[0]:
            raise Refused("The command for the headers names no program.", code="command")
    return config


def check_header_name(name: str) -> str:
    """The name in lower case. Raises Refused for what is no header's name, and for those that are ours."""
    if _HEADER_NAME.fullmatch(name) is None:
        raise Refused("A header's name consists of letters, digits and dashes.", code="header")
    if name.lower() in _OURS:
        raise Refused(f"The header {name.lower()} is set by this program itself.", code="header")
    return name.lower()


def _is_path(path: str) -> bool:
    return (
        path.startswith("/")
        and not path.startswith("//")
        and "\\" not in path
        and "#" not in path
        and ".." not in path.split("/")
        and all(character.isprintable() and not character.isspace() for character in path)
    )

"""An Assistant UI server as an account keeps it: texts by name, and the headers that are secret (assistant-ui.md §1-§3).

Light, as `system.py`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final, cast

from kai_tui.backends.addresses import base_address, is_loopback, parse_origin
from kai_tui.backends.assistant_ui.config import (
    CANCEL_PATH,
    CHAT_PATH,
    HEALTH_PATH,
    AssistantUiConfig,
    ClientTool,
    Encoding,
    HeaderCommand,
    RequestForm,
    check_header_name,
    checked,
)
from kai_tui.backends.base import CannotConnect, Refused
from kai_tui.backends.secret import Secret, SecretLine
from kai_tui.conversation.events import JsonObject

FORMS: Final[Mapping[str, RequestForm]] = {
    "commands": "commands",
    "messages": "messages",
    "ui-messages": "ui-messages",
}
ENCODINGS: Final[Mapping[str, Encoding]] = {
    "data-stream": "data-stream",
    "transport": "transport",
    "ui-messages": "ui-messages",
    "openai": "openai",
    "plain": "plain",
    "json": "json",
}
BY_ITSELF: Final = "auto"
"""As an encoding: told from the answer."""
USUAL: Final[Mapping[str, str]] = {
    "chat_path": CHAT_PATH,
    "cancel_path": CANCEL_PATH,
    "resume_path": "",
    "health_path": HEALTH_PATH,
    "sign_in": "none",
    "command_header": "authorization",
    "command_scheme": "Bearer",
    "command_timeout": "15",
    "form": "commands",
    "encoding": BY_ITSELF,
    "system": "",
    "tools": "",
    "asks_user": "ask_user",
    "first_state": '{"messages": []}',
    "run_config": "",
    "extra": "",
    "secret_fields": "",
}
"""What holds where an account says nothing. An empty path is none."""

_LINE: Final = re.compile(r"\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*:\s+(\S.*)")
_SECRET_NAME: Final = re.compile(
    r"api[-_]?key|secret|password|authorization|(^|_|-)token$|[a-z]Token$", re.IGNORECASE
)
_FIELDS: Final = "{fields}"
"""Among headers, because none is called so."""
_VALUE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


def server_address(typed: str) -> str:
    """The base address. Without a scheme it is https, on this computer http. Raises CannotConnect."""
    address = typed.strip().strip("<>\"'").strip()
    if not address:
        raise CannotConnect("Type the address of the server, such as http://localhost:8000.", code="address")
    if "://" not in address:
        host = parse_origin(f"https://{address}").host
        address = f"{'http' if is_loopback(host) else 'https'}://{address}"
    return base_address(address)[0]


def config_of(settings: Mapping[str, str], secret: Secret | None) -> AssistantUiConfig:
    """The configuration an account stands for. Raises CannotConnect and Refused for what cannot work."""
    said = {**USUAL, **settings}
    headers, fields = parts_of(secret)
    return checked(
        AssistantUiConfig(
            server_address(said.get("address", "")),
            chat_path=said["chat_path"] or CHAT_PATH,
            cancel_path=said["cancel_path"] or None,
            resume_path=said["resume_path"] or None,
            health_path=said["health_path"] or None,
            headers=headers if said["sign_in"] == "headers" else {},
            header_command=command_of(said) if said["sign_in"] == "command" else None,
            encoding=ENCODINGS.get(said["encoding"]),
            form=FORMS.get(said["form"], "commands"),
            system=said["system"] or None,
            tools=tools_of(said["tools"]),
            asks_user=frozenset(filter(None, re.split(r"[\s,]+", said["asks_user"]))),
            first_state=_json(said["first_state"], "The first state")
            if said["first_state"].strip()
            else None,
            run_config=plain_object(said["run_config"], "Run configurations") or None,
            extra=merged(plain_object(said["extra"], "Further fields"), fields),
        )
    )


def headers_of(typed: str) -> dict[str, Secret | str]:
    """Headers as somebody typed them: a token alone, `Name: value` (several in lines), or a JSON object.

    Raises Refused; no sentence repeats what was typed.
    """
    text = typed.strip()
    found: dict[str, str] = {}
    if text.startswith("{"):
        for name, value in object_of(text, "The headers").items():
            if not isinstance(value, str):
                raise Refused("The value of a header has to be a text.", code="header")
            found[name] = value
    else:
        for line in text.splitlines():
            match = _LINE.fullmatch(line)
            if match is not None:
                found[match[1]] = match[2].strip()
            elif line.strip():
                found["authorization"] = f"Bearer {line.strip()}"
    headers: dict[str, Secret | str] = {}
    for name, value in found.items():
        if _VALUE.fullmatch(value) is None:
            raise Refused("A header's value cannot have such characters in it.", code="header")
        headers[check_header_name(name)] = SecretLine(value)
    if not headers:
        raise Refused("Type a token, or a header such as Authorization: Bearer …", code="header")
    return headers


def secret_of(headers: Mapping[str, Secret | str], fields: JsonObject) -> Secret | None:
    """Headers and secret fields as one text, for the keyring; None when there are neither."""
    parts = {name: value.reveal() if isinstance(value, Secret) else value for name, value in headers.items()}
    if fields:
        parts[_FIELDS] = json.dumps(fields, ensure_ascii=False)
    return Secret(json.dumps(parts)) if parts else None


def parts_of(secret: Secret | None) -> tuple[dict[str, Secret | str], JsonObject]:
    """The headers and the secret fields in such a text; nothing in another."""
    try:
        parts = object_of(secret.reveal(), "The secret") if secret else {}
        fields = object_of(str(parts.pop(_FIELDS, "")), "The secret")
        return (headers_of(json.dumps(parts)) if parts else {}), fields
    except Refused:
        return {}, {}


def merged(plain: JsonObject, more: JsonObject) -> JsonObject:
    """Objects laid over each other, objects inside them too."""
    found = dict(plain)
    for name, value in more.items():
        under = found.get(name)
        both = isinstance(under, dict) and isinstance(value, dict)
        found[name] = merged(cast("JsonObject", under), cast("JsonObject", value)) if both else value
    return found


def plain_object(typed: str, what: str) -> JsonObject:
    """As `object_of`, for what is kept readable: a key or token has no place in it (S6). Raises Refused."""
    found = object_of(typed, what)
    if _names_a_secret(found):
        raise Refused(f"{what} are kept readable: put keys and tokens into the secret fields.", code="secret")
    return found


def _names_a_secret(value: Any) -> bool:
    if isinstance(value, list):
        return any(_names_a_secret(each) for each in cast("list[Any]", value))
    if not isinstance(value, dict):
        return False
    fields = cast("JsonObject", value)
    return any(
        (isinstance(inner, str) and bool(inner) and _SECRET_NAME.search(name) is not None)
        or _names_a_secret(inner)
        for name, inner in fields.items()
    )


def command_of(settings: Mapping[str, str]) -> HeaderCommand:
    """The program whose output says who asks. Raises Refused."""
    said = {**USUAL, **settings}
    typed = said.get("command", "").strip()
    if typed.startswith("["):
        words = cast("list[Any]", _json(typed, "The command"))
        if not all(isinstance(word, str) for word in words):
            raise Refused("A command given as a JSON list consists of texts.", code="command")
        argv = tuple(words)
    else:
        try:
            argv = tuple(shlex.split(typed))
        except ValueError:
            raise Refused("A quotation mark of the command is not closed.", code="command") from None
    if not argv:
        raise Refused("The command for the headers names no program.", code="command")
    return HeaderCommand(
        argv,
        header=check_header_name(said["command_header"].strip() or "authorization"),
        scheme=said["command_scheme"].strip(),
        timeout=seconds_of(said["command_timeout"]),
    )


def seconds_of(typed: str) -> float:
    """Seconds from 1 to 300. Raises Refused."""
    try:
        seconds = float(typed.strip())
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 300:
        raise Refused("Type a number of seconds from 1 to 300.", code="seconds")
    return seconds


def tools_of(typed: str) -> dict[str, ClientTool]:
    """Tools the server's model may call and the user answers: a JSON object by name (§3). Raises Refused."""
    tools: dict[str, ClientTool] = {}
    for name, about in object_of(typed, "The tools").items():
        if not isinstance(about, dict):
            raise Refused("Each tool is a JSON object with description and parameters.", code="tools")
        fields = cast("JsonObject", about)
        description, parameters = fields.get("description", ""), fields.get("parameters")
        if not isinstance(description, str) or not isinstance(parameters, dict | None):
            raise Refused("A tool's description is a text, its parameters are a JSON schema.", code="tools")
        tools[name] = (
            ClientTool(description, cast("JsonObject", parameters))
            if parameters is not None
            else ClientTool(description)
        )
    return tools


def object_of(typed: str, what: str) -> JsonObject:
    """A JSON object; an empty text is an empty one. Raises Refused."""
    if not typed.strip():
        return {}
    found = _json(typed, what)
    if not isinstance(found, dict):
        raise Refused(f"{what}: this is JSON, but not an object in braces.", code="json")
    return cast("JsonObject", found)


def _json(typed: str, what: str) -> Any:
    try:
        return json.loads(typed)
    except RecursionError:
        raise Refused(f"{what}: this JSON is nested too deeply.", code="json") from None
    except ValueError as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Refused(f"{what}: this is no JSON{where}.", code="json") from None

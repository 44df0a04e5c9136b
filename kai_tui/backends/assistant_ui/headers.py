"""Who asks: fixed headers, and those a program of the user's prints (assistant-ui.md §2).

The program is run without a shell, from the home directory, with nothing to read, and is killed when it
takes too long. What it prints is secret from the moment it is read.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from kai_tui.backends.assistant_ui.config import AssistantUiConfig, HeaderCommand, check_header_name
from kai_tui.backends.base import BackendError, Refused, TokenRefused, Unsupported
from kai_tui.backends.refusals import one_line
from kai_tui.backends.secret import Secret, SecretLine
from kai_tui.conversation.json_text import BadJson, decode_json

MAX_OUTPUT: Final = 64 * 1024
"""Bytes of what a helper may print."""
_PIECE: Final = 4096
_SECONDS_TO_GO: Final = 2.0
"""A killed program has this long to be gone."""
_LINE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


class HeaderSource:
    """The headers of each request: the fixed ones, and over them those of the command, run anew each time."""

    def __init__(self, config: AssistantUiConfig) -> None:
        self._fixed = {check_header_name(name): value for name, value in config.headers.items()}
        self._command = config.header_command

    async def __call__(self) -> Mapping[str, Secret | str]:
        """Raises Refused or TokenRefused; then nothing was sent."""
        if self._command is None:
            return self._fixed
        return {**self._fixed, **await headers_from(self._command)}

    def renew(self, token: Secret) -> None:
        """Put a token in the place of the one that is sent, behind the same word ("Bearer").

        Raises Unsupported where it is not plain which header is meant.
        """
        secret = [name for name, value in self._fixed.items() if isinstance(value, Secret)]
        if len(secret) != 1:
            raise Unsupported("This account has no single token to replace. Edit its headers instead.")
        before = cast("Secret", self._fixed[secret[0]]).reveal()
        word, space, rest = before.partition(" ")
        scheme = f"{word} " if space and rest else ""
        value = token.reveal()
        self._fixed[secret[0]] = SecretLine(value if value.startswith(scheme) else f"{scheme}{value}")


async def headers_from(command: HeaderCommand) -> Mapping[str, Secret]:
    """Run a helper and read what it prints. Raises Refused when it cannot be run, TokenRefused when it gives nothing
    to use. No sentence quotes what it printed.
    """
    name = one_line(Path(command.argv[0]).name, 60)
    printed = await _output_of(command, name)
    try:
        text = printed.decode("utf-8").strip("\r\n \t")
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise _useless(name, "printed nothing that can be used")
    if text.startswith("{"):
        return _from_json(text, name)
    if _LINE.fullmatch(text) is None:
        raise _useless(name, "printed more than one line, or characters a header cannot have")
    value = f"{command.scheme} {text}" if command.scheme else text
    return {check_header_name(command.header): SecretLine(value)}


def _from_json(text: str, name: str) -> Mapping[str, Secret]:
    try:
        found: Any = decode_json(text)
    except BadJson:
        raise _useless(name, "printed JSON that cannot be read") from None
    headers: dict[str, Secret] = {}
    for key, value in cast("dict[str, Any]", found).items():
        if not isinstance(value, str) or _LINE.fullmatch(value) is None:
            raise _useless(name, "printed a header whose value cannot be sent")
        try:
            headers[check_header_name(key)] = SecretLine(value)
        except Refused as error:
            raise _useless(name, "printed a header that cannot be sent") from error
    if not headers:
        raise _useless(name, "printed no headers")
    return headers


def _useless(name: str, what: str) -> TokenRefused:
    return TokenRefused(
        f"The command for the headers ({name}) {what}. Nothing was sent.", code="header-command"
    )


def _not_run(name: str, what: str, detail: str | None = None) -> BackendError:
    return Refused(
        f"The command for the headers ({name}) {what}. Nothing was sent.",
        code="header-command",
        detail=detail,
    )


async def _output_of(command: HeaderCommand, name: str) -> bytes:
    program = command.argv[0]
    if not Path(program).is_absolute() and Path(program).name != program:
        # Beside a project's files anybody may have put one (C4).
        raise _not_run(name, "is given by a relative path: give the whole path, or a name found in PATH")
    found = shutil.which(program)
    if found is None or not Path(found).is_absolute():
        raise _not_run(name, "was not found, or cannot be run")
    try:
        process = await asyncio.create_subprocess_exec(
            found,
            *command.argv[1:],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=Path.home() if Path.home().is_dir() else None,
            start_new_session=os.name == "posix",
        )
    except (OSError, ValueError) as error:
        raise _not_run(name, "could not be started", type(error).__name__) from None
    printed = bytearray()
    said = bytearray()
    try:
        async with asyncio.timeout(command.timeout):
            assert process.stdout is not None
            assert process.stderr is not None
            await asyncio.gather(_read(process.stdout, printed), _read(process.stderr, said))
            status = await process.wait()
    except TimeoutError:
        await _end(process)
        raise _not_run(name, f"took longer than {command.timeout:g} s and was stopped") from None
    except BaseException:  # the request was given up
        await _end(process)
        raise
    if len(printed) > MAX_OUTPUT:
        raise _useless(name, "printed too much")
    if status != 0:
        raise _not_run(name, f"ended with status {status}{_because(said, printed)}")
    return bytes(printed)


async def _read(stream: asyncio.StreamReader, into: bytearray) -> None:
    """All of it, of which only so much is kept."""
    while piece := await stream.read(_PIECE):
        if len(into) <= MAX_OUTPUT:
            into += piece


async def _end(process: asyncio.subprocess.Process) -> None:
    """Stop it, and what it started itself, where the system lets us name that."""
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)  # its own group, made for it
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass
    try:
        async with asyncio.timeout(_SECONDS_TO_GO):
            await process.wait()
    except TimeoutError:
        pass


def _because(said: bytearray, printed: bytearray) -> str:
    """The last line a failed helper wrote for people; nothing when that could hold the token."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    last = one_line(lines[-1], 160) if lines else ""
    tokens = [word for word in printed.decode("utf-8", "replace").split() if len(word) >= 4]
    return f": {last.rstrip('.')}" if last and not any(token in last for token in tokens) else ""

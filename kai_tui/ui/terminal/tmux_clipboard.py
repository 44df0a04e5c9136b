"""tmux's own buffer, and through it the clipboard of the terminal around tmux.

An application's OSC 52 goes no further than tmux unless `set-clipboard` is `on` (default: `external`);
`load-buffer -w` (tmux 3.2) does with both, and what is in the buffer can be read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kai_tui.ui.terminal import tool_runs

ANSWER_SECONDS: Final = 2.0

_QUESTION: Final = (
    "#{client_termfeatures}\t#{client_termname}\t#{set-clipboard}\t#{allow-passthrough}\t#{window_active}"
)
_HERE: Final = ("SSH_CONNECTION", "DISPLAY")
"""What tmux renews when somebody attaches (`update-environment`)."""


@dataclass(frozen=True, slots=True)
class TmuxFacts:
    """What tmux says of the terminal around it."""

    clipboard: bool
    """Whether it gives that terminal text for the clipboard."""
    passes: bool
    """Whether what is wrapped for it goes on to that terminal."""
    nested: bool
    """Whether that terminal is a multiplexer again."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a text given to tmux."""

    checked: bool
    """Whether the buffer was read back and holds it."""
    sent: bool
    """Whether tmux gave it to the terminal's clipboard too. Nobody can check that."""


async def facts(environ: Mapping[str, str]) -> TmuxFacts | None:
    """Ask the tmux we run in; None when it cannot be reached."""
    pane = environ.get("TMUX_PANE", "")
    target = ("-t", pane) if pane else ()
    answer = await _ask(("display-message", "-p", *target, _QUESTION), environ)
    return facts_of(answer) if answer is not None else None


def facts_of(answer: str) -> TmuxFacts | None:
    """The same, from tmux's answer."""
    fields = answer.rstrip("\n").split("\t")
    if len(fields) != 5:
        return None
    features, name, setting, passing, active = fields
    return TmuxFacts(
        clipboard="clipboard" in features.split(",") and setting not in ("off", "0"),
        passes=passing in ("all", "2") or (passing in ("on", "1") and active == "1"),
        nested=name.startswith(("tmux", "screen")),
    )


async def around(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment with what tmux knows better: its session may have been left here and taken up over SSH."""
    answer = await _ask(("show-environment",), environ)
    return attached(environ, answer) if answer is not None else environ


def attached(environ: Mapping[str, str], answer: str) -> Mapping[str, str]:
    """The same, from tmux's answer: `NAME=value`, or `-NAME` for what is not there."""
    now = dict(environ)
    for line in answer.splitlines():
        name, equals, value = line.partition("=")
        if equals and name in _HERE:
            now[name] = value
        elif line == "-SSH_CONNECTION":
            for old in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"):
                now.pop(old, None)
    return now


async def load(data: bytes, environ: Mapping[str, str], *, on: bool) -> Loaded | None:
    """Put `data` into tmux's newest buffer; `on`: and on to the terminal's clipboard. None: it did not."""
    sent = on and await _feed(("load-buffer", "-w", "-"), data, environ)
    if not sent and not await _feed(("load-buffer", "-"), data, environ):
        return None
    found = await tool_runs.read(
        ("tmux", "save-buffer", "-"), environ=environ, seconds=ANSWER_SECONDS, most=len(data)
    )
    return Loaded(checked=found == data, sent=sent)


async def _feed(command: tuple[str, ...], data: bytes, environ: Mapping[str, str]) -> bool:
    return await tool_runs.feed(("tmux", *command), data, environ=environ, seconds=ANSWER_SECONDS)


async def _ask(command: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    found = await tool_runs.read(("tmux", *command), environ=environ, seconds=ANSWER_SECONDS, most=100_000)
    return found.decode(errors="replace") if found is not None else None

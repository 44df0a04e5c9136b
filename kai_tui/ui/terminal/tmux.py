"""What tmux lets through to the terminal around it, asked of tmux itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from kai_tui.ui.terminal.announce import Way, way_named

ANSWER_SECONDS = 1.0

_QUESTION = (
    "#{allow-passthrough}\t#{window_active}\t#{session_attached}\t#{client_termtype}\t#{client_termname}"
)


async def way_through_tmux(environ: Mapping[str, str]) -> Way | None:
    """The way of the terminal around tmux, when tmux passes it on now; None: only a bell gets there.

    `allow-passthrough` (tmux 3.3) is off by default; `on` lets only visible panes through, `all` every one.
    """
    pane = environ.get("TMUX_PANE", "")
    target = ["-t", pane] if pane else []
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux", "display-message", "-p", *target, _QUESTION,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=dict(environ),
        )  # fmt: skip
    except (OSError, ValueError, NotImplementedError):
        return None
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            out, _ = await process.communicate()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return None
    return way_of_answer(out.decode(errors="replace"))


def way_of_answer(answer: str) -> Way | None:
    """The same, from tmux's answer."""
    fields = answer.rstrip("\n").split("\t")
    if len(fields) != 5:
        return None
    allowed, active, attached, kind, name = fields
    if attached in ("", "0") or not (allowed in ("all", "2") or (allowed in ("on", "1") and active == "1")):
        return None
    return way_named(kind) or way_named(name)
